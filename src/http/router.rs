//! The router of both APIs.

use std::sync::Arc;

use axum::Router;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method};
use axum::routing::any;
use tower_http::cors::CorsLayer;

use super::guard::guarded;
use super::options::Options;
use super::refused::{Api, Problem, Refused};
use super::service::Service;
use super::{openapi, system_task_api, task_api};
use crate::TaskStore;

/// A router of both APIs on this store; see the [module](super) for what it answers.
///
/// An application nests it (`.nest("/history", router)`), or serves it alone. It has a fallback of its own, so it is not
/// to be merged into a router that has one too. Compression, TLS and a limit of connections are the server's; for the last
/// see [`serve`](super::serve).
pub fn router(store: TaskStore, options: Options) -> Router {
    let service = Service::new(store, options);
    let unknown = Router::new().route("/", any(unknown_path)).route("/{*path}", any(unknown_path));
    let documents = if service.options.openapi { openapi::routes(&service.options) } else { Router::new() };
    let routes = Router::new()
        .merge(guarded(task_api::routes(), Api::Task, &service))
        .merge(guarded(system_task_api::routes(), Api::SystemTask, &service))
        .merge(guarded(documents, Api::SystemTask, &service))
        .fallback_service(guarded(unknown, Api::SystemTask, &service).with_state(Arc::clone(&service)));
    cors(routes.with_state(Arc::clone(&service)), &service.options)
}

/// Tells browsers that pages of the allowed origins may ask.
fn cors(router: Router, options: &Options) -> Router {
    if options.origins.is_empty() {
        return router;
    }
    let origins = options.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    let cors = CorsLayer::new()
        .allow_origin(origins.collect::<Vec<_>>())
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE]);
    router.layer(cors)
}

async fn unknown_path() -> Refused {
    Api::SystemTask.refuse(Problem::UnknownPath)
}
