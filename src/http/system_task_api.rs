//! The system-task API.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::http::header::ACCEPT;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::task::spawn_blocking;

use super::answer::{Spool, answered_alike, shown_to};
use super::authenticator::{Rights, User};
use super::options::RunRequest;
use super::refused::{Api, Problem, Refused};
use super::service::{Access, Service, begin_by};
use super::shared::Question;
use crate::TaskStore;
use crate::wire::system_task_api::{ListRequest, Refusal, RetrieveRequest, write_list, write_system_task};

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/api/v3/events/system_tasks/", get(list))
        .route("/api/v3/events/system_tasks/{uuid}/", get(retrieve))
        .route("/api/v3/events/system_tasks/{uuid}/run/", post(run))
        .method_not_allowed_fallback(wrong_method)
}

type Answer = Result<Response, Refused>;

async fn list(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let user = asked(&service, &parts, Rights::VIEW)?;
    let mut request = ListRequest::parse(parameters(&parts))?;
    request.page_size = request.page_size.min(service.options.page_size_max.unwrap_or(u64::MAX));
    let write = move |store: &TaskStore, out: &mut Spool| write_list(store, &request, out);
    Ok(answered_alike(&service, Api::SystemTask, user, question(&parts), write).await)
}

async fn retrieve(State(service): State<Arc<Service>>, uuid: Uuid, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let user = asked(&service, &parts, Rights::VIEW)?;
    let request = RetrieveRequest::parse(&text(&uuid), parameters(&parts))?;
    let write = move |store: &TaskStore, out: &mut Spool| write_system_task(store, &request, out);
    Ok(answered_alike(&service, Api::SystemTask, user, question(&parts), write).await)
}

async fn run(State(service): State<Arc<Service>>, uuid: Uuid, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let user = asked(&service, &parts, Rights::VIEW | Rights::RUN)?;
    let request = RetrieveRequest::parse(&text(&uuid), parameters(&parts))?;
    let begun = begin(&service, user.name.clone(), request).await;
    Ok(shown_to(user, begun.map(|()| StatusCode::NO_CONTENT).into_response()))
}

/// Has the application run a system task. Nobody waits for that: the answer says that it was accepted.
async fn begin(service: &Service, user: String, request: RetrieveRequest) -> Result<(), Refused> {
    let found = service.call(Access::Read, begin_by(), move |store, answer, is_waited_for, slot| {
        if is_waited_for {
            // Whoever asked may be gone by then.
            let _ = answer.send(request.system_task(store));
        }
        Some(slot)
    });
    let system_task = found.await.and_then(|found| found.map_err(Problem::Store)).map_err(refuse)?;
    let handler = service.options.run_handlers.get(&system_task.name).cloned().ok_or_else(Refusal::nothing_to_run)?;
    let permit = Arc::clone(&service.runs).try_acquire_owned().map_err(|_| refuse(Problem::Overloaded))?;
    drop(spawn_blocking(move || {
        handler(RunRequest { system_task, user });
        drop(permit);
    }));
    Ok(())
}

/// The published API looks at who asks before it looks at the method.
async fn wrong_method(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    asked(&service, &parts, Rights::VIEW)?;
    Err(refuse(Problem::WrongMethod(parts.method)))
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

/// Where the uuid is. The application's own path before it may have parameters too.
type Uuid = Result<RawPathParams, RawPathParamsRejection>;

fn question(request: &Parts) -> Question {
    request.uri.path_and_query().map_or("", |asked| asked.as_str()).into()
}

/// What stands for the uuid; nothing, if it is no text.
fn text(uuid: &Uuid) -> String {
    let parameters = uuid.iter().flatten();
    parameters.filter(|(name, _)| *name == "uuid").last().map(|(_, uuid)| uuid.to_owned()).unwrap_or_default()
}

fn parameters(request: &Parts) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes())
}

fn refuse(problem: Problem) -> Refused {
    Api::SystemTask.refuse(problem)
}
