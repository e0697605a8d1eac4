//! The router, asked without a socket.

mod openapi;
mod serve;
mod system_task_api;
mod task_api;
mod tokens;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request};
use taskstore::TaskStore;
use taskstore::http::{Options, Rights, Unauthenticated, User, router};
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::support::temporary;

/// A store and its router. The user is told by the header `x-user`, and `x-rights` may take rights from it.
struct Served {
    store: TaskStore,
    router: Router,
    runtime: Runtime,
}

/// An answer, whole.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

/// What all routers of these tests are built with.
fn options() -> Options {
    Options::new(|request: &Parts| {
        let text = |name: &str| request.headers.get(name).map(|value| value.to_str().unwrap());
        let name = text("x-user").ok_or(Unauthenticated::NoCredentials)?;
        let rights = text("x-rights").map_or(Rights::ALL, |rights| rights.parse().unwrap());
        Ok(User::new(name, rights))
    })
}

impl Served {
    fn new() -> Self {
        Self::with(temporary(), options())
    }

    fn with(store: TaskStore, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { router: router(store.clone(), options), store, runtime }
    }

    fn ask(&self, request: Request<Body>) -> Answer {
        self.runtime.block_on(async {
            let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: String::from_utf8(body.into()).unwrap(),
            }
        })
    }

    /// What ann gets from a POST of this JSON.
    fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(
            request(Method::POST, path)
                .header("content-type", "application/json")
                .body(body.to_owned().into())
                .unwrap(),
        )
    }

    /// What ann gets from a GET.
    fn get(&self, path: &str) -> Answer {
        self.ask(request(Method::GET, path).body(Body::empty()).unwrap())
    }
}

/// The beginning of a request of ann's, who may do everything.
fn request(method: Method, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost:8080").header("x-user", "ann")
}
