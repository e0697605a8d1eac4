//! What all requests of a router share.

use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::authenticator::{Rights, User};
use super::options::Options;
use super::place::Places;
use super::refused::Problem;
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
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
}

impl Service {
    pub(super) fn new(store: TaskStore, options: Options) -> Arc<Self> {
        Arc::new(Self {
            store,
            streams: Places::new(options.streams_max, STREAM_IDLE_MIN),
            runs: Arc::new(Semaphore::new(options.runs_max)),
            reads: Arc::new(Semaphore::new(options.calls_max)),
            // Apart, since who writes may wait for another process, and nobody should wait for that to read.
            writes: Arc::new(Semaphore::new(options.calls_max)),
            options,
        })
    }

    /// Who sends the request, if they may do this.
    pub(super) fn user(&self, request: &Parts, rights: Rights) -> Result<User, Problem> {
        let user = self.options.authenticator.authenticate(request).map_err(Problem::Unauthenticated)?;
        if user.rights.contains(rights) { Ok(user) } else { Err(Problem::NotPermitted) }
    }

    /// Waits until the store may be called.
    pub(super) async fn permit(&self, access: Access) -> Result<OwnedSemaphorePermit, Problem> {
        let calls = match access {
            Access::Read => &self.reads,
            Access::Write => &self.writes,
        };
        match timeout(PATIENCE, Arc::clone(calls).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Problem::Overloaded),
        }
    }

    /// Calls the store, where that may block, for what is not written to an answer.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        call: impl FnOnce(&TaskStore) -> crate::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (store, permit) = (self.store.clone(), self.permit(Access::Read).await?);
        let called = spawn_blocking(move || {
            let outcome = call(&store);
            drop(permit);
            outcome
        });
        called.await.map_err(|_| Problem::Panicked)?.map_err(Problem::Store)
    }
}
