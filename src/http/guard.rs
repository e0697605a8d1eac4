//! What comes before every request: where it goes to and where it comes from; and what every answer is told to be.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tower_http::cors::CorsLayer;

use super::host;
use super::options::Options;
use super::refused::{Api, Problem};
use super::service::Service;

/// Guards all routes of one API, and has it refuse in its manner.
pub(super) fn guarded(routes: Router<Arc<Service>>, api: Api, service: &Arc<Service>) -> Router<Arc<Service>> {
    let routes = match cors(&service.options) {
        // Inside, so that a page of an allowed origin may read that answer, too.
        Some(cors) => {
            let unpanicked = from_fn(move |request: Request, next: Next| or_panicked(api, next.run(request)));
            routes.layer(unpanicked).layer(cors)
        }
        None => routes,
    };
    routes.layer(from_fn_with_state((api, Arc::clone(service)), guard))
}

/// Tells browsers that pages of the allowed origins may ask.
fn cors(options: &Options) -> Option<CorsLayer> {
    let origins = options.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let cors = CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE]);
    Some(cors).filter(|_| !options.origins.is_empty())
}

async fn guard(State((api, service)): State<(Api, Arc<Service>)>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let options = &service.options;
    let asked = host::asked(&parts).filter(|asked| options.hosts.iter().any(|host| host.is(asked)));
    let mut response = match asked {
        None => api.refuse(Problem::ForeignHost).into_response(),
        Some(asked) if host::is_foreign(&parts, &asked, &options.origins) => {
            api.refuse(Problem::ForeignOrigin).into_response()
        }
        Some(_) => or_panicked(api, next.run(Request::from_parts(parts, body))).await,
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// An answer, or the refusal that stands for it if making it panics. Nothing that a panic leaves half done is used again.
pub(super) async fn or_panicked(api: Api, answer: impl Future<Output = Response>) -> Response {
    let answered = AssertUnwindSafe(answer).catch_unwind().await;
    answered.unwrap_or_else(|_| api.refuse(Problem::Panicked).into_response())
}
