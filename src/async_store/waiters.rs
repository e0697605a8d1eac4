//! Who waits for a change.
//!
//! Each wait of a [`TaskStore`] takes a thread. Here the *lookout* takes one for all who wait, a little while at a time, and
//! tells them what it has seen. It belongs to none of them, so that one that nobody polls keeps nobody else waiting. It goes when
//! nobody waits any more, or with the runtime that it was begun in; then whoever is left begins another one. That looks for
//! changes since its own token, so nothing is missed between the two.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;

use super::{AsyncTaskStore, pool};
use crate::{ChangeToken, Result, TaskStore};

/// How long the lookout waits at a time.
const LOOK_MAX: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(super) struct Waiters(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// The newest token that a lookout has got; told again when somebody's time is over, or when the lookout has gone.
    told: watch::Sender<Option<ChangeToken>>,
}

#[derive(Debug, Default)]
struct State {
    has_lookout: bool,
    /// When those who wait give up, each with a number of its own.
    ends: BTreeSet<(Instant, u64)>,
    numbers: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all who wait.
    fn wake(&self) {
        self.told.send_modify(|_| {});
    }
}

impl Waiters {
    pub(super) async fn wait(
        &self,
        store: &AsyncTaskStore,
        since: ChangeToken,
        timeout: Duration,
    ) -> Result<Option<ChangeToken>> {
        // What takes longer than a clock can tell has no end.
        let end = Instant::now().checked_add(timeout);
        let is_over = || end.is_some_and(|end| end <= Instant::now());
        // Before the first look: what is seen after that is told to this one.
        let mut told = self.0.told.subscribe();
        let _end = end.map(|end| End::note(&self.0, end));
        loop {
            let found = store.call(move |store| store.wait_for_change(since, Duration::ZERO)).await?;
            if found.is_some() || is_over() {
                return Ok(found);
            }
            self.begin_to_look(store.store(), since);
            loop {
                // The sender is here: it is not gone.
                let _ = told.changed().await;
                let newest = *told.borrow_and_update();
                if newest.is_some_and(|newest| newest.store == since.store && newest.changes > since.changes) {
                    return Ok(newest);
                }
                if is_over() {
                    return Ok(None);
                }
                if !self.0.state().has_lookout {
                    break;
                }
            }
        }
    }

    /// Begins a lookout, if there is none.
    fn begin_to_look(&self, store: &TaskStore, since: ChangeToken) {
        let Ok(runtime) = Handle::try_current() else { return };
        if !std::mem::replace(&mut self.0.state().has_lookout, true) {
            Lookout { shared: Arc::clone(&self.0), store: store.clone(), since }.go(runtime);
        }
    }
}

/// When one who waits gives up; taken back when this is dropped.
struct End<'a> {
    shared: &'a Shared,
    end: (Instant, u64),
}

impl<'a> End<'a> {
    fn note(shared: &'a Shared, end: Instant) -> Self {
        let mut state = shared.state();
        state.numbers += 1;
        let end = (end, state.numbers);
        state.ends.insert(end);
        Self { shared, end }
    }
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.shared.state().ends.remove(&self.end);
    }
}

/// There is one at a time. Whatever it goes by, those who wait are told when it is dropped.
struct Lookout {
    shared: Arc<Shared>,
    store: TaskStore,
    since: ChangeToken,
}

impl Lookout {
    /// Looks once, and goes on. A runtime that shuts down drops what has not begun, and waits for one look at most.
    fn go(mut self, runtime: Handle) {
        let again = runtime.clone();
        // Without a thread it waits for one.
        let _ = pool::spawn(&runtime, move || {
            if self.look() && self.shared.told.receiver_count() > 0 {
                self.go(again);
            }
        });
    }

    /// Whether that went well: if not, each who waits meets the error by itself.
    fn look(&mut self) -> bool {
        match self.store.wait_for_change(self.since, LOOK_MAX) {
            Ok(Some(new)) => {
                self.since = new;
                self.shared.told.send_replace(Some(new));
            }
            Ok(None) => {
                let mut state = self.shared.state();
                let now = Instant::now();
                let left = state.ends.split_off(&(now, u64::MAX));
                let over = std::mem::replace(&mut state.ends, left);
                drop(state);
                if !over.is_empty() {
                    self.shared.wake();
                }
            }
            Err(_) => return false,
        }
        true
    }
}

impl Drop for Lookout {
    fn drop(&mut self) {
        self.shared.state().has_lookout = false;
        self.shared.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_left_of_those_who_waited() {
        let store = AsyncTaskStore::open_in_memory().await.unwrap();
        let token = store.change_token().await.unwrap();
        let waiters = &store.held.waiters;
        let mut dropped = Box::pin(store.wait_for_change(token, Duration::MAX));
        let mut given_up = Box::pin(store.wait_for_change(token, Duration::from_secs(600)));
        tokio::select! {
            biased;
            _ = &mut dropped => unreachable!(),
            _ = &mut given_up => unreachable!(),
            // Behind the first look of both.
            over = store.wait_for_change(token, LOOK_MAX) => assert_eq!(over.unwrap(), None),
        }
        assert!(waiters.0.state().has_lookout);
        assert_eq!(waiters.0.state().ends.len(), 1);
        drop((dropped, given_up));
        assert!(waiters.0.state().ends.is_empty());
        // The lookout goes when it has looked once more.
        while waiters.0.state().has_lookout {
            tokio::task::yield_now().await;
        }
    }
}
