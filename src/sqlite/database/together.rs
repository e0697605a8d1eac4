//! Calls of callers that do not wait in a thread, made together by one who does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::error::leader_panicked;
use super::super::transaction::Write;
use super::super::writer::{Call, Wait};
use super::Database;
use super::writing::Waiting;
use crate::{Error, Result};

impl Database {
    /// A call that is made by [`write_together`](Self::write_together). Its wait for others, no longer than `patience`, begins
    /// now. `answered` gets its answer when the last one has let go of it.
    pub(crate) fn deferred<T: Send + 'static>(
        &self,
        patience: Duration,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
        answered: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<Arc<dyn Call>> {
        self.refuse_forked()?;
        let waiting = Waiting::new(operation, Wait::new(patience.min(self.settings.busy_timeout)));
        Ok(Arc::new(Deferred { waiting, answered: Mutex::new(Some(answered)) }))
    }

    /// Makes these calls, in one transaction where that can be. Each gets an error of its own; the first stands in for a
    /// caller with a thread.
    pub(crate) fn write_together(&self, mut calls: VecDeque<Arc<dyn Call>>) {
        // What has waited for this longer than it may wait for others has that long for them all the same.
        let until = Instant::now() + PATIENCE_MIN.min(self.settings.busy_timeout);
        while let Some(call) = calls.pop_front() {
            let first = Unanswered(Some(&*call));
            let wait = call.wait().until(until);
            let turn = self.wait_for_turn(wait).and_then(|turn| self.turn_to_write(turn, wait));
            first.answer(turn.and_then(|turn| self.lead(turn, &|write| call.run(write), &mut calls)));
        }
    }
}

/// See [`Database::write_together`].
const PATIENCE_MIN: Duration = Duration::from_secs(1);

/// A call that may have been run, but not committed: it is refused when this is dropped by a panic.
struct Unanswered<'a>(Option<&'a dyn Call>);

impl Unanswered<'_> {
    fn answer(mut self, made: Result<()>) {
        if let (Some(call), Err(error)) = (self.0.take(), made) {
            call.refuse(error);
        }
    }
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call.refuse(leader_panicked());
        }
    }
}

/// A call that tells its answer when it is dropped: until then that may still change.
struct Deferred<T, F, A: FnOnce(Result<T>)> {
    waiting: Waiting<T, F>,
    answered: Mutex<Option<A>>,
}

impl<T, F, A> Call for Deferred<T, F, A>
where
    T: Send,
    F: Fn(&Write<'_>) -> Result<T> + Send + Sync,
    A: FnOnce(Result<T>) + Send,
{
    fn run(&self, write: &Write<'_>) -> Result<()> {
        self.waiting.run(write)
    }

    fn wait(&self) -> Wait {
        self.waiting.wait()
    }

    fn refuse(&self, error: Error) {
        self.waiting.refuse(error);
    }
}

impl<T, F, A: FnOnce(Result<T>)> Drop for Deferred<T, F, A> {
    fn drop(&mut self) {
        // Whoever was to make it has panicked.
        let answer = self.waiting.take().unwrap_or_else(|| Err(leader_panicked()));
        if let Some(answered) = self.answered.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            answered(answer);
        }
    }
}
