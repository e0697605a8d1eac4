//! Calls of callers that do not wait in a thread, made together by one who does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::error::leader_panicked;
use super::super::transaction::Write;
use super::super::writer::{Call, Wait};
use super::Database;
use super::writing::Waiting;
use crate::{Error, Result};

impl Database {
    /// A call that is made by [`write_together`](Self::write_together). Its wait for others begins now. `answered` gets its
    /// answer when the last one has let go of it.
    pub(crate) fn deferred<T: Send + 'static>(
        &self,
        operation: impl Fn(&Write<'_>) -> Result<T> + Send + Sync + 'static,
        answered: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<Arc<dyn Call>> {
        self.refuse_inside()?;
        let waiting = Waiting::new(operation, Wait::new(self.settings.busy_timeout));
        Ok(Arc::new(Deferred { waiting, answered: Mutex::new(Some(answered)) }))
    }

    /// Makes these calls, in one transaction where that can be. Each waits no longer than it would alone, and gets an error
    /// of its own; the first stands in for a caller with a thread.
    pub(crate) fn write_together(&self, mut calls: VecDeque<Arc<dyn Call>>) {
        while let Some(first) = calls.pop_front() {
            let wait = first.wait();
            let turn = self.wait_for_turn(wait).and_then(|turn| self.turn_to_write(turn, wait));
            let made = turn.and_then(|turn| self.lead(turn, &|write| first.run(write), &mut calls));
            if let Err(error) = made {
                first.refuse(error);
            }
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
