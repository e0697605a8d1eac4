//! The bodies of requests: JSON, short, and in time.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::timeout;

use super::options::Options;
use crate::wire::task_api::Refusal;

/// Reads the body of a request of the task API, the only one that has bodies.
pub(super) async fn read(request: &Parts, body: Body, options: &Options) -> Result<Bytes, Refusal> {
    let bytes_max = options.body_bytes_max;
    let is_json = is_json(request)?;
    let declared = request.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if declared.is_some_and(|bytes: u64| usize::try_from(bytes).map_or(true, |bytes| bytes > bytes_max)) {
        return Err(Refusal::body_too_long(bytes_max));
    }
    let body = match timeout(options.body_time_max, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(Refusal::body_too_long(bytes_max)),
        Ok(Err(_)) | Err(_) => return Err(Refusal::body_incomplete()),
    };
    // No body at all needs no type.
    if is_json || body.is_empty() { Ok(body) } else { Err(Refusal::not_json()) }
}

/// Whether the body is declared to be JSON; an error if it is declared to be anything else. A page of another site can
/// send a form or a plain text without asking, but no JSON.
fn is_json(request: &Parts) -> Result<bool, Refusal> {
    let mut types = request.headers.get_all(CONTENT_TYPE).iter();
    let (declared, repeated) = (types.next(), types.next());
    let Some(declared) = declared else {
        return Ok(false);
    };
    let mut parts = declared.to_str().unwrap_or_default().split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let is_utf8 = parts.filter(|part| !part.is_empty()).all(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if is_json && is_utf8 && repeated.is_none() { Ok(true) } else { Err(Refusal::not_json()) }
}
