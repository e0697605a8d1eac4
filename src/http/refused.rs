//! What is not answered as asked, and how each API says so.

use std::sync::Arc;

use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::answer::JSON;
use super::authenticator::Unauthenticated;
use crate::Error;
use crate::wire::{system_task_api, task_api};

/// Why a request was answered 500 or 503, in the extensions of that answer: for the log of the operator, never for the
/// client.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<Error>);

/// The two manners of refusing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Task,
    SystemTask,
}

/// What both APIs refuse, each in its manner.
#[derive(Debug)]
pub(super) enum Problem {
    ForeignHost,
    ForeignOrigin,
    UnknownPath,
    WrongMethod(Method),
    Unauthenticated(Unauthenticated),
    NotPermitted,
    Overloaded,
    Store(Error),
    Panicked,
}

/// A refusal in the manner of its API.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) body: String,
    cause: Option<Arc<Error>>,
}

impl Api {
    pub(super) fn refuse(self, problem: Problem) -> Refused {
        match self {
            Self::Task => Refused::from(of_task_api(&problem)).caused_by(problem),
            Self::SystemTask => Refused::from(of_system_task_api(&problem)).caused_by(problem),
        }
    }
}

fn of_task_api(problem: &Problem) -> task_api::Refusal {
    use task_api::Refusal;
    match problem {
        Problem::ForeignHost => Refusal::foreign_host(),
        Problem::ForeignOrigin => Refusal::foreign_origin(),
        Problem::UnknownPath => Refusal::not_found(),
        Problem::WrongMethod(method) => Refusal::method_not_allowed(method.as_str()),
        Problem::Unauthenticated(_) => Refusal::not_authenticated(),
        Problem::NotPermitted => Refusal::permission_denied(),
        Problem::Overloaded => Refusal::busy(),
        Problem::Store(error) => Refusal::of(error),
        Problem::Panicked => Refusal::internal(),
    }
}

fn of_system_task_api(problem: &Problem) -> system_task_api::Refusal {
    use system_task_api::Refusal;
    match problem {
        Problem::ForeignHost => Refusal::foreign_host(),
        Problem::ForeignOrigin => Refusal::foreign_origin(),
        Problem::UnknownPath => Refusal::not_found(),
        Problem::WrongMethod(method) => Refusal::method_not_allowed(method.as_str()),
        Problem::Unauthenticated(Unauthenticated::NoCredentials) => Refusal::not_authenticated(),
        Problem::Unauthenticated(Unauthenticated::InvalidToken) => Refusal::invalid_token(),
        Problem::Unauthenticated(Unauthenticated::UnsupportedScheme) => Refusal::unsupported_authentication(),
        Problem::NotPermitted => Refusal::permission_denied(),
        Problem::Overloaded => Refusal::busy(),
        Problem::Store(error) => Refusal::of(error),
        Problem::Panicked => Refusal::internal(),
    }
}

impl Refused {
    fn caused_by(self, problem: Problem) -> Self {
        match problem {
            Problem::Store(error) if self.status >= 500 => Self { cause: Some(Arc::new(error)), ..self },
            _ => self,
        }
    }
}

impl From<task_api::Refusal> for Refused {
    fn from(refusal: task_api::Refusal) -> Self {
        Self { status: refusal.status(), body: refusal.body(), cause: None }
    }
}

impl From<system_task_api::Refusal> for Refused {
    fn from(refusal: system_task_api::Refusal) -> Self {
        Self { status: refusal.status(), body: refusal.body().to_owned(), cause: None }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).expect("a refusal has a status of HTTP");
        let is_empty = self.body.is_empty();
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        if is_empty {
            headers.remove(CONTENT_TYPE);
        } else {
            headers.insert(CONTENT_TYPE, JSON);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(error) = self.cause {
            response.extensions_mut().insert(Cause(error));
        }
        response
    }
}
