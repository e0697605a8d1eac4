//! The two published APIs over HTTP: a router for an application's own server, and a server for those who have none.
//!
//! [`router`] gives an [`axum::Router`] that answers
//!
//! | | |
//! | --- | --- |
//! | `POST /task/list`, `/task/show` | the published task API; see [`wire::task_api`](crate::wire::task_api) |
//! | `POST /task/dismiss`, `/task/restore`, `/task/dismiss_all` | the same style, for a panel |
//! | `GET /api/v3/events/system_tasks/`, `…/{uuid}/`, `POST …/{uuid}/run/` | the published system-task API; see [`wire::system_task_api`](crate::wire::system_task_api) |
//! | `GET /openapi.json` | the [document](Options::openapi) of all these, if the options say so |
//!
//! # What is refused
//!
//! Each API refuses in its own manner: the task API by its envelope, the system-task API by `{"detail":…}`.
//!
//! | | task API | system-task API |
//! | --- | --- | --- |
//! | not JSON, a wrong type, a missing member, a body over the limit or too slow | 400 | |
//! | a bad filter | | 400 |
//! | no credentials, or bad ones | 401 | 403 |
//! | a user without the right | 403 | 403 |
//! | a foreign `Origin` | 403 | 403 |
//! | an unknown path, another method | 404, 405 | 404, 405 |
//! | an unknown task or row | 400 | 404 |
//! | an `Accept` without JSON | | 406 |
//! | a foreign `Host` | 421 | 421 |
//! | a failure or a panic inside, in general words | 500 | 500 |
//! | the store or the server is busy | 503 | 503 |
//!
//! # Safe by default
//!
//! There is no router without an [`Authenticator`]. Only requests to a [known host](Options::allowed_host), and from no
//! foreign [origin](Options::allowed_origin), are answered, so that no page in a browser reaches a server on the same
//! machine. Bodies are JSON and short, and must come in time. Every answer is `no-store` and `nosniff`. No answer tells of
//! SQL or of the path of the file; what the operator should know is in the extensions of the answer, as a [`Cause`] and a
//! [`User`].
//!
//! # Threads and memory
//!
//! Calls of the store run on tokio's blocking threads: at most [`Options::calls_max`] that read, and as many that write.
//! Requests that ask the same, and come before the call for the first of them has begun, share its answer: many who look at
//! one page cost the store one call, and nobody gets an answer that was read before they asked.
//! An answer of up to 256 KiB is collected, and has a length. A longer one is streamed: it holds a thread, a snapshot and
//! less than half a MiB, at most [`Options::streams_max`] of them at a time. One whose reader takes nothing for
//! [`Options::send_time_max`] is cut off, so that it cannot be taken for whole; where all places for streams are taken, the
//! one whose reader has taken nothing for the longest, and for a second at least, makes room. A store in memory collects
//! the whole of a longer answer first.
//!
//! A panic is answered 500 only where it unwinds: with `panic = "abort"` it ends the process.
//!
//! The router needs a tokio runtime with its timer enabled.
//!
//! # Example
//!
//! ```
//! use taskstore::TaskStore;
//! use taskstore::http::{self, Rights, Unauthenticated, User};
//!
//! let store = TaskStore::open_temporary()?;
//! // The application knows its users; here a header is enough.
//! let options = http::Options::new(|request: &axum::http::request::Parts| {
//!     match request.headers.get("x-user").and_then(|name| name.to_str().ok()) {
//!         Some(name) => Ok(User::new(name, Rights::VIEW | Rights::DISMISS)),
//!         None => Err(Unauthenticated::NoCredentials),
//!     }
//! });
//! let application: axum::Router = axum::Router::new().nest("/history", http::router(store, options));
//! # Ok::<(), taskstore::Error>(())
//! ```

mod anonymous;
mod answer;
mod authenticator;
mod body;
mod calls;
mod guard;
mod host;
mod openapi;
mod options;
mod place;
mod refused;
mod router;
mod serve;
mod service;
mod shared;
mod system_task_api;
mod task_api;
mod tokens;

pub use anonymous::AnonymousLoopback;
pub use authenticator::{Authenticator, Rights, Unauthenticated, User};
pub use options::{Options, RunRequest};
pub use refused::Cause;
pub use router::router;
pub use serve::{ServeOptions, serve};
pub use tokens::BearerTokens;
