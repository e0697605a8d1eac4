//! The OpenAPI document of both APIs, made of the types that are written and of the refusals that are answered.

mod operation;
mod schemas;
mod system_task_api;
mod task_api;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::OriginalUri;
use axum::response::Response;
use axum::routing::get;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathsBuilder, ServerBuilder};

use super::answer::json;
use super::options::Options;
use super::service::Service;

const PATH: &str = "/openapi.json";

/// What the one security scheme is called in the document.
const BEARER: &str = "bearer";

const DESCRIPTION: &str = "Tasks and system tasks. Each API refuses in its own manner: the task API by its envelope, the \
    system-task API by `detail`. No answer has a member that is not described here. Any path that is not described here \
    is 404.";

pub(super) fn routes(options: &Options) -> Router<Arc<Service>> {
    let document = Arc::new(document(options));
    Router::new().route(PATH, get(move |OriginalUri(uri): OriginalUri| async move { answer(&document, uri.path()) }))
}

/// The document as it is true of where the router is nested, which the path tells by which it was asked for.
fn answer(document: &OpenApi, path: &str) -> Response {
    let prefix = path.strip_suffix(PATH).unwrap_or_default();
    let mut document = document.clone();
    if !prefix.is_empty() {
        document.servers = Some(vec![ServerBuilder::new().url(prefix).build()]);
    }
    let body = serde_json::to_vec(&document).expect("the keys of a document are texts");
    json(Body::from(body))
}

fn document(options: &Options) -> OpenApi {
    let task_api = task_api::operations();
    let system_task_api = system_task_api::operations(options.page_size_max);
    let paths = task_api.into_iter().chain(system_task_api).fold(PathsBuilder::new(), |paths, operation| {
        let (path, item) = operation.into_path_item();
        paths.path(path, item)
    });
    let license = LicenseBuilder::new().name(env!("CARGO_PKG_LICENSE")).identifier(Some(env!("CARGO_PKG_LICENSE")));
    let info = InfoBuilder::new()
        .title(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .license(Some(license.build()));
    OpenApiBuilder::new()
        .info(info.build())
        .paths(paths)
        .components(Some(components(options)))
        .security(Some([SecurityRequirement::new(BEARER, [""; 0])]))
        .build()
}

fn components(options: &Options) -> Components {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("Unless the application that serves this knows its users by something else."));
    let mut components = Components::new();
    components.schemas = schemas::all(options.dismissed_member).into_iter().collect();
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    components
}
