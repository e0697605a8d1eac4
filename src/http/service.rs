//! What all requests of a router share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::request::Parts;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use super::authenticator::{Rights, User};
use super::calls::{Calls, Slot};
use super::options::Options;
use super::place::Places;
use super::refused::Problem;
use super::shared::Shared;
use crate::TaskStore;

/// How long a request waits for others before the store is called.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a stream must have waited for its reader before another may have its place.
const STREAM_IDLE_MIN: Duration = Duration::from_secs(1);

/// What a call does with the store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Access {
    Read,
    Write,
}

pub(super) struct Service {
    pub(super) store: TaskStore,
    pub(super) options: Options,
    pub(super) streams: Arc<Places>,
    pub(super) runs: Arc<Semaphore>,
    pub(super) shared: Arc<Shared>,
    reads: Arc<Calls>,
    writes: Arc<Calls>,
}

impl Service {
    pub(super) fn new(store: TaskStore, options: Options) -> Arc<Self> {
        Arc::new(Self {
            store,
            streams: Places::new(options.streams_max, STREAM_IDLE_MIN),
            runs: Arc::new(Semaphore::new(options.runs_max)),
            shared: Arc::default(),
            reads: Calls::new(options.calls_max),
            // Apart, since who writes may wait for another process, and nobody should wait for that to read.
            writes: Calls::new(options.calls_max),
            options,
        })
    }

    /// Who sends the request, if they may do this.
    pub(super) fn user(&self, request: &Parts, rights: Rights) -> Result<User, Problem> {
        let user = self.options.authenticator.authenticate(request).map_err(Problem::Unauthenticated)?;
        if user.rights.contains(rights) { Ok(user) } else { Err(Problem::NotPermitted) }
    }

    /// Has the store called where that may block. `call` tells the answer as soon as it has one, and is told itself whether
    /// anybody waits for that.
    ///
    /// Nobody waits for a call that has not begun in time, or whose request is gone; one that has begun goes on.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        access: Access,
        begin_by: Instant,
        call: impl FnOnce(&TaskStore, oneshot::Sender<T>, bool, Slot) -> Option<Slot> + Send + 'static,
    ) -> Result<T, Problem> {
        let (answer, mut answered) = oneshot::channel();
        // Whether the call has begun or was withdrawn, whichever comes first.
        let is_settled = Arc::new(AtomicBool::new(false));
        let (store, settled) = (self.store.clone(), Arc::clone(&is_settled));
        let calls = match access {
            Access::Read => &self.reads,
            Access::Write => &self.writes,
        };
        calls.make(Box::new(move |slot| {
            let is_waited_for = !settled.swap(true, Ordering::Relaxed) && !answer.is_closed();
            call(&store, answer, is_waited_for, slot)
        }));
        let answer = match timeout_at(begin_by, &mut answered).await {
            Ok(answer) => answer,
            Err(_) if !is_settled.swap(true, Ordering::Relaxed) => return Err(Problem::Overloaded),
            Err(_) => answered.await,
        };
        let has_begun = || is_settled.load(Ordering::Relaxed);
        // Where the runtime shuts down, a call may be dropped before it has begun.
        answer.map_err(|_| if has_begun() { Problem::Panicked } else { Problem::Overloaded })
    }
}

/// When a call has to begin for a request that has come now.
pub(super) fn begin_by() -> Instant {
    Instant::now() + PATIENCE
}
