//! Who waits for a change.
//!
//! Each wait of a [`TaskStore`](crate::TaskStore) takes a thread. Here one of those who wait, the *lookout*, takes one for all of
//! them, a little while at a time, and tells the others what it has seen. When it goes, whatever the reason, the next one is the
//! lookout. That one looks for changes since its own token, so nothing is missed between the two, and nobody has to see to it that a
//! thread ends: a cancelled wait, or a runtime that shuts down, is rid of it after that little while.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, watch};

use super::AsyncTaskStore;
use crate::{ChangeToken, Result};

/// How long the lookout waits at a time.
const LOOK_MAX: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(super) struct Waiters {
    /// Locked by the lookout.
    lookout: Mutex<()>,
    /// The newest token that a lookout has got; told after each look, also if that has seen nothing.
    seen: watch::Sender<Option<ChangeToken>>,
}

impl Waiters {
    pub(super) async fn wait(
        &self,
        store: &AsyncTaskStore,
        since: ChangeToken,
        timeout: Duration,
    ) -> Result<Option<ChangeToken>> {
        let started = Instant::now();
        let left = || timeout.saturating_sub(started.elapsed());
        let look = |time| store.call(move |store| store.wait_for_change(since, time));

        // Before the first look: what is seen after that is told to this one.
        let mut seen = self.seen.subscribe();
        let found = look(Duration::ZERO).await?;
        if found.is_some() || timeout.is_zero() {
            return Ok(found);
        }
        let mut lookout = pin!(self.lookout.lock());
        let _lookout = loop {
            let turn = {
                let mut told = pin!(seen.changed());
                // What was told comes first: whoever is told of a change need not take over.
                let either = poll_fn(|context| match told.as_mut().poll(context) {
                    Poll::Ready(_) => Poll::Ready(None),
                    Poll::Pending => lookout.as_mut().poll(context).map(Some),
                });
                either.await
            };
            if let Some(turn) = turn {
                break turn;
            }
            let newest = *seen.borrow();
            if newest.is_some_and(|newest| newest.store == since.store && newest.changes > since.changes) {
                return Ok(newest);
            }
            if left().is_zero() {
                return Ok(None);
            }
        };
        loop {
            let time = left().min(LOOK_MAX);
            let found = look(time).await?;
            self.seen.send_modify(|newest| *newest = found.or(*newest));
            if found.is_some() || time.is_zero() {
                return Ok(found);
            }
        }
    }
}
