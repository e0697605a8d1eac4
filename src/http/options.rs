//! What a router is built with.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::authenticator::Authenticator;
use super::host::{self, Host};
use crate::system_task::SystemTask;
use crate::wire::task_api::DismissedMember;

/// What the application does for a system task that somebody asks to be run.
pub(super) type RunHandler = Arc<dyn Fn(RunRequest) + Send + Sync>;

/// What a [`router`](super::router) is built with.
///
/// | option | default | |
/// | --- | --- | --- |
/// | [`allowed_host`](Self::allowed_host) | `localhost`, `127.0.0.1`, `[::1]` | any other `Host` is 421 |
/// | [`allowed_origin`](Self::allowed_origin) | none | any other `Origin` than the host's own is 403 |
/// | [`on_run`](Self::on_run) | none | any other system task cannot be run: 500 |
/// | [`openapi`](Self::openapi) | off | `/openapi.json` |
/// | [`dismissed_member`](Self::dismissed_member) | `hidden_by` | |
/// | [`page_size_max`](Self::page_size_max) | none | a larger `page_size` counts as this |
/// | [`body_bytes_max`](Self::body_bytes_max) | 64 KiB | a longer body is 400 |
/// | [`body_time_max`](Self::body_time_max) | 10 s | a slower body is 400 |
/// | [`send_time_max`](Self::send_time_max) | 30 s | an answer of which nothing is taken for longer is cut off |
/// | [`calls_max`](Self::calls_max) | 4 | calls that read the store at a time; as many that write |
/// | [`streams_max`](Self::streams_max) | 32 | long answers at a time; more are 503 |
/// | [`runs_max`](Self::runs_max) | 32 | handlers of `on_run` at a time; more are 503 |
#[derive(Clone)]
pub struct Options {
    pub(super) authenticator: Arc<dyn Authenticator>,
    pub(super) hosts: Vec<Host>,
    pub(super) origins: Vec<String>,
    pub(super) run_handlers: HashMap<String, RunHandler>,
    pub(super) openapi: bool,
    pub(super) dismissed_member: DismissedMember,
    pub(super) page_size_max: Option<u64>,
    pub(super) body_bytes_max: usize,
    pub(super) body_time_max: Duration,
    pub(super) send_time_max: Duration,
    pub(super) calls_max: usize,
    pub(super) streams_max: usize,
    pub(super) runs_max: usize,
}

impl Options {
    /// The defaults, and who tells who is calling.
    #[must_use]
    pub fn new(authenticator: impl Authenticator) -> Self {
        Self {
            authenticator: Arc::new(authenticator),
            hosts: ["localhost", "127.0.0.1", "[::1]"].into_iter().filter_map(Host::parse).collect(),
            origins: Vec::new(),
            run_handlers: HashMap::new(),
            openapi: false,
            dismissed_member: DismissedMember::default(),
            page_size_max: None,
            body_bytes_max: 64 << 10,
            body_time_max: Duration::from_secs(10),
            send_time_max: Duration::from_secs(30),
            calls_max: 4,
            streams_max: 32,
            runs_max: 32,
        }
    }

    /// Requests to this host too are answered: a name or an address, at one port (`panel.example.org:8443`) or at any.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::Error::Invalid) for what is no host.
    pub fn allowed_host(mut self, host: &str) -> crate::Result<Self> {
        let problem = "must be the name or the address of a host, with a port or without";
        let host = Host::parse(host).ok_or(crate::Error::Invalid { field: "allowed_host", problem })?;
        self.hosts.push(host);
        Ok(self)
    }

    /// Pages of this origin too may ask, as browsers have it: `https://panel.example.org`. They are told so by the headers
    /// of CORS.
    ///
    /// # Errors
    ///
    /// [`Invalid`](crate::Error::Invalid) for what is no origin: a scheme, a host, maybe a port, and nothing behind.
    pub fn allowed_origin(mut self, origin: &str) -> crate::Result<Self> {
        let problem = "must be an origin, such as https://panel.example.org";
        self.origins.push(host::origin(origin).ok_or(crate::Error::Invalid { field: "allowed_origin", problem })?);
        Ok(self)
    }

    /// What to do when somebody asks for a run of a system task of this name, whatever its uid. The request is answered
    /// (204) without waiting for it: `handler` runs on one of tokio's blocking threads, so it may block, and may spawn
    /// what is async. A panic in it is tokio's to tell. A runtime that shuts down waits for the handlers that have begun,
    /// as for all that blocks, and drops the others.
    ///
    /// Nothing says that the system task is not running already; that is for `handler` to see.
    ///
    /// # Example
    ///
    /// ```
    /// use taskstore::TaskStore;
    /// use taskstore::http::{AnonymousLoopback, Options, Rights};
    ///
    /// let store = TaskStore::open_temporary()?;
    /// let jobs = store.clone();
    /// let options = Options::new(AnonymousLoopback::new(Rights::ALL)).on_run("fetch_mail", move |request| {
    ///     let uid = request.system_task.uid.as_deref();
    ///     let outcome = jobs.system_tasks().run("fetch_mail", uid, |run| run.info("fetched 3 mails", ()));
    ///     if let Err(error) = outcome {
    ///         eprintln!("{} asked for mail: {error}", request.user);
    ///     }
    /// });
    /// # Ok::<(), taskstore::Error>(())
    /// ```
    #[must_use]
    pub fn on_run(mut self, name: impl Into<String>, handler: impl Fn(RunRequest) + Send + Sync + 'static) -> Self {
        self.run_handlers.insert(name.into(), Arc::new(handler));
        self
    }

    /// Whether `/openapi.json` describes both APIs (OpenAPI 3.1). It is answered without credentials, and tells nothing
    /// of the store.
    #[must_use]
    pub fn openapi(self, openapi: bool) -> Self {
        Self { openapi, ..self }
    }

    /// What the member is called that names who dismissed a task.
    #[must_use]
    pub fn dismissed_member(self, dismissed_member: DismissedMember) -> Self {
        Self { dismissed_member, ..self }
    }

    /// The most rows of a page of system tasks; without it there is no limit, as published. At least 1.
    #[must_use]
    pub fn page_size_max(self, rows: u64) -> Self {
        Self { page_size_max: Some(rows.max(1)), ..self }
    }

    /// The longest body of a request.
    #[must_use]
    pub fn body_bytes_max(self, body_bytes_max: usize) -> Self {
        Self { body_bytes_max, ..self }
    }

    /// How long the body of a request may take to arrive.
    #[must_use]
    pub fn body_time_max(self, body_time_max: Duration) -> Self {
        Self { body_time_max, ..self }
    }

    /// How long a streamed answer waits for a reader who takes nothing of it.
    #[must_use]
    pub fn send_time_max(self, send_time_max: Duration) -> Self {
        Self { send_time_max, ..self }
    }

    /// How many calls read the store at a time; as many write. The others wait for up to 5 s, and are 503 then. At least 1.
    #[must_use]
    pub fn calls_max(self, calls_max: usize) -> Self {
        Self { calls_max: calls_max.max(1), ..self }
    }

    /// How many answers of more than 256 KiB are sent at a time. At least 1.
    #[must_use]
    pub fn streams_max(self, streams_max: usize) -> Self {
        Self { streams_max: streams_max.max(1), ..self }
    }

    /// How many handlers of [`on_run`](Self::on_run) run at a time. At least 1.
    #[must_use]
    pub fn runs_max(self, runs_max: usize) -> Self {
        Self { runs_max: runs_max.max(1), ..self }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.run_handlers.keys().collect();
        f.debug_struct("Options")
            .field("hosts", &self.hosts)
            .field("origins", &self.origins)
            .field("run_handlers", &names)
            .field("openapi", &self.openapi)
            .finish_non_exhaustive()
    }
}

/// Somebody asks for a run of a system task.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunRequest {
    /// What is to be run, as the request found it.
    pub system_task: SystemTask,
    /// Who asks.
    pub user: String,
}
