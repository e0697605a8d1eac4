//! The router of both APIs.

use axum::Router;
use axum::http::Method;

use super::guard::guarded;
use super::options::Options;
use super::refused::{Api, Problem, Refused};
use super::service::Service;
use super::{openapi, system_task_api, task_api};
use crate::TaskStore;

/// A router of both APIs on this store; see the [module](super) for what it answers.
///
/// An application nests it (`.nest("/history", router)`, behind its own `.with_state(…)`), or serves it alone. It has a
/// fallback of its own, so it is not to be merged into a router that has one too. Compression, TLS and a limit of
/// connections are the server's; for the last see [`serve`](super::serve).
pub fn router(store: TaskStore, options: Options) -> Router {
    let service = Service::new(store, options);
    let documents = if service.options.openapi { openapi::routes(&service.options) } else { Router::new() };
    Router::new()
        .merge(guarded(task_api::routes(), Api::Task, &service))
        .merge(guarded(system_task_api::routes(), Api::SystemTask, &service))
        .merge(guarded(documents.method_not_allowed_fallback(wrong_method), Api::SystemTask, &service))
        .merge(guarded(Router::new().fallback(unknown_path), Api::SystemTask, &service))
        .with_state(service)
}

async fn unknown_path() -> Refused {
    Api::SystemTask.refuse(Problem::UnknownPath)
}

async fn wrong_method(method: Method) -> Refused {
    Api::SystemTask.refuse(Problem::WrongMethod(method))
}
