//! The task API.

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::{any, post};

use super::answer::{Spool, answered, answered_alike};
use super::authenticator::{Rights, User};
use super::body;
use super::refused::{Api, Problem, Refused};
use super::service::Service;
use crate::task::TaskId;
use crate::wire::task_api::{
    DismissAllRequest, ListRequest, Refusal, TaskRequest, write_dismissed_count, write_list, write_task,
};
use crate::{Error, TaskStore};

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
        .method_not_allowed_fallback(wrong_method)
}

type Answer = Result<Response, Refused>;

async fn list(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (user, body) = asked(&service, request, Rights::VIEW).await?;
    let (request, member) = (ListRequest::parse(&body)?, service.options.dismissed_member);
    let question = format!("list {request:?}").into_bytes();
    let write = move |store: &TaskStore, out: &mut Spool| write_list(store, request, member, out);
    Ok(answered_alike(&service, Api::Task, user, question, write).await)
}

async fn show(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (user, body) = asked(&service, request, Rights::VIEW).await?;
    let (id, member) = (task(&body)?, service.options.dismissed_member);
    let question = format!("show {id}").into_bytes();
    let write = move |store: &TaskStore, out: &mut Spool| write_task(store, id, member, out);
    Ok(answered_alike(&service, Api::Task, user, question, write).await)
}

async fn dismiss(State(service): State<Arc<Service>>, request: Request) -> Answer {
    task_after(&service, request, |store, id, by| store.dismiss(id, by)).await
}

async fn restore(State(service): State<Arc<Service>>, request: Request) -> Answer {
    task_after(&service, request, |store, id, _| store.restore(id)).await
}

async fn dismiss_all(State(service): State<Arc<Service>>, request: Request) -> Answer {
    let (user, body) = asked(&service, request, Rights::VIEW | Rights::DISMISS).await?;
    let (request, by) = (DismissAllRequest::parse(&body)?, user.name.clone());
    let write = move |store: &TaskStore, out: &mut Spool| {
        write_dismissed_count(store.dismiss_all(request.configuration, by)?, out)
    };
    Ok(answered(&service, Api::Task, user, write).await)
}

async fn unknown_path() -> Refused {
    Api::Task.refuse(Problem::UnknownPath)
}

async fn wrong_method(method: Method) -> Refused {
    Api::Task.refuse(Problem::WrongMethod(method))
}

/// Answers with the task that the request names, after `change`, which is told who asks.
async fn task_after(
    service: &Service,
    request: Request,
    change: impl FnOnce(&TaskStore, TaskId, String) -> crate::Result<()> + Send + 'static,
) -> Answer {
    let (user, body) = asked(service, request, Rights::VIEW | Rights::DISMISS).await?;
    let (id, by, member) = (task(&body)?, user.name.clone(), service.options.dismissed_member);
    let write = move |store: &TaskStore, out: &mut Spool| {
        change(store, id, by)?;
        // The change is made: whoever were told to try again would be refused then.
        write_task(store, id, member, out).map_err(|error| match error {
            Error::Busy { .. } => {
                Error::Io { action: "read the task that was changed", source: io::Error::other(error) }
            }
            error => error,
        })
    };
    Ok(answered(service, Api::Task, user, write).await)
}

/// The task that the body of a request names.
fn task(body: &[u8]) -> Result<TaskId, Refused> {
    TaskRequest::parse(body)?.task().map_err(|error| Refusal::of(&error).into())
}

/// Who asks, and the body of the request.
async fn asked(service: &Service, request: Request, rights: Rights) -> Result<(User, Bytes), Refused> {
    let (parts, body) = request.into_parts();
    let user = service.user(&parts, rights).map_err(|problem| Api::Task.refuse(problem))?;
    Ok((user, body::read(&parts, body, &service.options).await?))
}
