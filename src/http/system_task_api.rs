//! The system-task API.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::task::spawn_blocking;

use super::answer::written;
use super::authenticator::{Rights, User};
use super::options::RunRequest;
use super::refused::{Api, Problem, Refused};
use super::service::Service;
use crate::wire::system_task_api::{ListRequest, Refusal, RetrieveRequest, write_list, write_system_task};

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v3/events/system_tasks/", get(list))
        .route("/api/v3/events/system_tasks/{uuid}/", get(retrieve))
        .route("/api/v3/events/system_tasks/{uuid}/run/", post(run))
}

async fn list(State(service): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (parts, _) = request.into_parts();
    let user = asked(&service, &parts, Rights::VIEW)?;
    let mut request = ListRequest::parse(parameters(&parts))?;
    request.page_size = request.page_size.min(service.options.page_size_max.unwrap_or(u64::MAX));
    let answer = written(&service, move |store, out| write_list(store, &request, out)).await;
    answer.map(|answer| of(user, answer)).map_err(refuse)
}

async fn retrieve(
    State(service): State<Arc<Service>>,
    uuid: Option<Path<String>>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, _) = request.into_parts();
    let user = asked(&service, &parts, Rights::VIEW)?;
    let request = RetrieveRequest::parse(&of_path(uuid), parameters(&parts))?;
    let answer = written(&service, move |store, out| write_system_task(store, &request, out)).await;
    answer.map(|answer| of(user, answer)).map_err(refuse)
}

async fn run(
    State(service): State<Arc<Service>>,
    uuid: Option<Path<String>>,
    request: Request,
) -> Result<Response, Refused> {
    let (parts, _) = request.into_parts();
    let user = asked(&service, &parts, Rights::VIEW | Rights::RUN)?;
    let request = RetrieveRequest::parse(&of_path(uuid), parameters(&parts))?;
    let system_task = service.read(move |store| request.system_task(store)).await.map_err(refuse)?;
    let handler = service.options.run_handlers.get(&system_task.name).cloned().ok_or_else(Refusal::nothing_to_run)?;
    let permit = Arc::clone(&service.runs).try_acquire_owned().map_err(|_| refuse(Problem::Overloaded))?;
    let request = RunRequest { system_task, user: user.name.clone() };
    // Nobody waits for it: the answer says that it was accepted.
    drop(spawn_blocking(move || {
        handler(request);
        drop(permit);
    }));
    Ok(of(user, StatusCode::NO_CONTENT.into_response()))
}

/// Who asks, in the order in which the published API looks at a request.
fn asked(service: &Service, request: &Parts, rights: Rights) -> Result<User, Refused> {
    if !accepts_json(request) {
        return Err(Refusal::not_acceptable().into());
    }
    service.user(request, rights).map_err(refuse)
}

/// Whether JSON is among what the request accepts, whatever it likes best.
fn accepts_json(request: &Parts) -> bool {
    let mut accepted = request.headers.get_all(ACCEPT).iter().peekable();
    let ranges = |header: &str| {
        let mut ranges = header.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
        ranges.any(|range| {
            ["*/*", "application/*", "application/json"].iter().any(|known| range.eq_ignore_ascii_case(known))
        })
    };
    accepted.peek().is_none() || accepted.any(|header| header.to_str().is_ok_and(ranges))
}

/// What stands for the uuid; nothing, if it is no text.
fn of_path(uuid: Option<Path<String>>) -> String {
    uuid.map(|Path(uuid)| uuid).unwrap_or_default()
}

fn parameters(request: &Parts) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes())
}

/// Lets the application's log see whom the answer is for.
fn of(user: User, mut answer: Response) -> Response {
    answer.extensions_mut().insert(user);
    answer
}

fn refuse(problem: Problem) -> Refused {
    Api::SystemTask.refuse(problem)
}
