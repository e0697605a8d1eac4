//! The task API.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{any, post};

use super::answer::{json, written};
use super::authenticator::{Rights, User};
use super::body;
use super::refused::{Api, Problem, Refused};
use super::service::Service;
use crate::TaskStore;
use crate::task::TaskId;
use crate::wire::task_api::{
    DismissAllRequest, ListRequest, Refusal, TaskRequest, write_dismissed_count, write_list, write_task,
};

pub(super) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/task/list", post(list))
        .route("/task/show", post(show))
        .route("/task/dismiss", post(dismiss))
        .route("/task/restore", post(restore))
        .route("/task/dismiss_all", post(dismiss_all))
        .route("/task", any(unknown_path))
        .route("/task/", any(unknown_path))
        .route("/task/{*path}", any(unknown_path))
}

async fn list(State(service): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (user, body) = asked(&service, request, Rights::VIEW).await?;
    let (request, member) = (ListRequest::parse(&body)?, service.options.dismissed_member);
    let answer = written(&service, move |store, out| write_list(store, request, member, out)).await;
    answer.map(|answer| of(user, answer)).map_err(refuse)
}

async fn show(State(service): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (user, body) = asked(&service, request, Rights::VIEW).await?;
    let id = task(&body)?;
    task_shown(&service, user, id).await
}

async fn dismiss(State(service): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (user, body) = asked(&service, request, Rights::VIEW | Rights::DISMISS).await?;
    let (id, by) = (task(&body)?, user.name.clone());
    service.write(move |store| store.dismiss(id, by)).await.map_err(refuse)?;
    task_shown(&service, user, id).await
}

async fn restore(State(service): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (user, body) = asked(&service, request, Rights::VIEW | Rights::DISMISS).await?;
    let id = task(&body)?;
    service.write(move |store| store.restore(id)).await.map_err(refuse)?;
    task_shown(&service, user, id).await
}

async fn dismiss_all(State(service): State<Arc<Service>>, request: Request) -> Result<Response, Refused> {
    let (user, body) = asked(&service, request, Rights::VIEW | Rights::DISMISS).await?;
    let (request, by) = (DismissAllRequest::parse(&body)?, user.name.clone());
    let dismiss_all = move |store: &TaskStore| {
        let mut answer = Vec::new();
        write_dismissed_count(store.dismiss_all(request.configuration, by)?, &mut answer)?;
        Ok(answer)
    };
    let answer = service.write(dismiss_all).await.map_err(refuse)?;
    Ok(of(user, json(Body::from(answer))))
}

async fn unknown_path() -> Refused {
    refuse(Problem::UnknownPath)
}

/// Who asks, and the body of the request.
async fn asked(service: &Service, request: Request, rights: Rights) -> Result<(User, Bytes), Refused> {
    let (parts, body) = request.into_parts();
    let user = service.user(&parts, rights).map_err(refuse)?;
    Ok((user, body::read(&parts, body, &service.options).await?))
}

/// The task that the body of the request names.
fn task(body: &[u8]) -> Result<TaskId, Refused> {
    TaskRequest::parse(body)?.task().map_err(|error| Refusal::of(&error).into())
}

async fn task_shown(service: &Arc<Service>, user: User, id: TaskId) -> Result<Response, Refused> {
    let member = service.options.dismissed_member;
    let answer = written(service, move |store, out| write_task(store, id, member, out)).await;
    answer.map(|answer| of(user, answer)).map_err(refuse)
}

/// Lets the application's log see whom the answer is for.
fn of(user: User, mut answer: Response) -> Response {
    answer.extensions_mut().insert(user);
    answer
}

fn refuse(problem: Problem) -> Refused {
    Api::Task.refuse(problem)
}
