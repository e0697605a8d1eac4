//! The router, asked without a socket.

mod accept;
mod anonymous;
mod bodies;
mod busy;
mod hosts;
mod methods;
mod nested;
mod openapi;
mod origins;
mod panics;
mod refusals;
mod rights;
mod runs;
mod serve;
mod sharing;
mod stalled;
mod streams;
mod system_task_api;
mod task_api;
mod tokens;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::{Builder, Parts};
use axum::http::{Extensions, HeaderMap, Method, Request, Response};
use taskstore::TaskStore;
use taskstore::http::{Options, Rights, Unauthenticated, User, router};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::support::temporary;

const ROWS: &str = "/api/v3/events/system_tasks/";

/// A store and its router. The user is told by the header `x-user`, and `x-rights` may take rights from it.
struct Served {
    store: TaskStore,
    router: Router,
    runtime: Runtime,
}

/// An answer, whole.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    extensions: Extensions,
    body: String,
}

/// What all routers of these tests are built with.
fn options() -> Options {
    Options::new(|request: &Parts| {
        let text = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        let name = match text("x-user").ok_or(Unauthenticated::NoCredentials)? {
            "a bad token" => return Err(Unauthenticated::InvalidToken),
            "a password" => return Err(Unauthenticated::UnsupportedScheme),
            name => name,
        };
        let rights = text("x-rights").map_or(Rights::ALL, |rights| rights.parse().unwrap());
        Ok(User::new(name, rights))
    })
}

impl Served {
    fn new() -> Self {
        Self::with(temporary(), options())
    }

    fn with(store: TaskStore, options: Options) -> Self {
        let router = router(store.clone(), options);
        Self { store, router, runtime: runtime() }
    }

    fn ask(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(ask(&self.router, request))
    }

    /// What ann gets from a POST of this JSON.
    fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(post(path, body))
    }

    /// What ann gets from a GET.
    fn get(&self, path: &str) -> Answer {
        self.ask(request("GET", path).body(Body::empty()).unwrap())
    }

    /// What ann gets from a request without a body.
    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(with_headers(request(method, path), headers))
    }
}

impl Answer {
    fn told(&self) -> (u16, &str) {
        (self.status, &self.body)
    }

    /// The value of a header; nothing, if there is none.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What the body says, read as JSON.
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A runtime of one thread, as an application may have it.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn begun(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

async fn ask(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = begun(router, request).await.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        extensions: parts.extensions,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

/// The beginning of a request of nobody's, to nowhere.
fn bare<M>(method: M, path: &str) -> Builder
where
    Method: TryFrom<M, Error: Into<axum::http::Error>>,
{
    Request::builder().method(method).uri(path)
}

/// The beginning of a request of ann's, who may do everything.
fn request<M>(method: M, path: &str) -> Builder
where
    Method: TryFrom<M, Error: Into<axum::http::Error>>,
{
    bare(method, path).header("host", "localhost:8080").header("x-user", "ann")
}

fn with_headers(request: Builder, headers: &[(&str, &str)]) -> Request<Body> {
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Body::empty()).unwrap()
}

/// A POST of ann's.
fn post(path: &str, body: &str) -> Request<Body> {
    request("POST", path).header("content-type", "application/json").body(body.to_owned().into()).unwrap()
}

/// A refusal of the task API.
fn failure(message: &str) -> String {
    format!(r#"{{"error":{{"message":"{message}"}},"successful":false}}"#)
}

/// A refusal of the system-task API.
fn detail(detail: &str) -> String {
    format!(r#"{{"detail":"{detail}"}}"#)
}

/// Asks again and again until it is so, which must be soon.
fn until(mut is_so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it did not come to be so");
        std::thread::yield_now();
    }
}
