//! A line for each request.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::{Error, Router};
use chrono::{DateTime, Utc};
use http_body::{Frame, SizeHint};
use serde::Serialize;
use taskstore::http::{BearerTokens, Cause, User};

use super::lines::{Log, time};
use crate::failure::chain;
use crate::terminal::text::harmless;

/// A longer path is logged so far: lines wait in memory, and anybody may send a long one.
const TEXT_CHARACTERS_MAX: usize = 1_024;

/// Has each request logged once it is answered, or its answer is cut off.
pub fn logged(router: Router, log: Log, tokens: Option<BearerTokens>) -> Router {
    router.layer(from_fn_with_state((log, tokens), record))
}

async fn record(State((log, tokens)): State<(Log, Option<BearerTokens>)>, request: Request, next: Next) -> Response {
    let mut entry = Entry::new(log, &request);
    let response = next.run(request).await;
    entry.answered(&response);
    if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        // Nobody is let in while the tokens cannot be read, which the operator alone should learn.
        entry.cause = tokens.and_then(|tokens| tokens.problem()).map(|error| harmless(&chain(error.as_ref())));
    }
    response.map(|body| Body::new(Recorded { body, entry }))
}

/// A request; it is logged when this is dropped, which is also where nobody waits for its answer any more.
struct Entry {
    log: Log,
    time: DateTime<Utc>,
    begun: Instant,
    peer: Option<SocketAddr>,
    method: Method,
    path: String,
    user: Option<String>,
    status: Option<u16>,
    bytes: u64,
    is_whole: bool,
    cause: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    peer: Option<SocketAddr>,
    user: Option<&'a str>,
    method: String,
    path: &'a str,
    status: Option<u16>,
    bytes: u64,
    duration_ms: f64,
    cut: bool,
    cause: Option<&'a str>,
}

impl Entry {
    fn new(log: Log, request: &Request) -> Self {
        Self {
            log,
            time: Utc::now(),
            begun: Instant::now(),
            peer: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer),
            method: request.method().clone(),
            // Without the query, which may hold what somebody searches for.
            path: short(request.uri().path()),
            user: None,
            status: None,
            bytes: 0,
            is_whole: false,
            cause: None,
        }
    }

    fn answered(&mut self, response: &Response) {
        self.user = response.extensions().get::<User>().map(|user| harmless(&user.name));
        self.status = Some(response.status().as_u16());
        self.is_whole = self.method == Method::HEAD || response.body().is_end_stream();
        self.cause = response.extensions().get::<Cause>().map(|Cause(error)| harmless(&chain(error.as_ref())));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let line = Line {
            time: time(self.time),
            peer: self.peer,
            user: self.user.as_deref(),
            method: short(self.method.as_str()),
            path: &self.path,
            status: self.status,
            bytes: self.bytes,
            duration_ms: milliseconds(self.begun.elapsed()),
            cut: !self.is_whole,
            cause: self.cause.as_deref(),
        };
        // It is plain data, which always has a JSON form.
        if let Ok(line) = serde_json::to_string(&line) {
            self.log.line(line);
        }
    }
}

/// The body of an answer, counted.
struct Recorded {
    body: Body,
    entry: Entry,
}

impl HttpBody for Recorded {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.entry.bytes = self.entry.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
                self.entry.is_whole = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.entry.is_whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn short(text: &str) -> String {
    harmless(&text.chars().take(TEXT_CHARACTERS_MAX).collect::<String>())
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
