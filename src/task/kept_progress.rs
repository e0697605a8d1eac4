//! Progress that was answered `Ok` and is not written yet. However often a task says how far it has come, that is written
//! once a second. Of what it says between, the newest is kept here, until the task's end or the closing of the store
//! writes it, or the first call after the second is written in its place.
//!
//! Whoever writes progress says so here inside its transaction, where writers come one after another, and once more when
//! it knows the outcome, by when others may have written. So nothing kept is lost where a transaction fails, and what is
//! still kept when the next one begins never goes over something newer in the file.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::DateTime;

use super::{Progress, Task, TaskId};
use crate::{Error, Result};

/// How long after a write progress is kept.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// So many tasks come at least before those that have fallen silent are looked for.
const TIDY_EVERY_MIN: usize = 64;

/// Of so many that were forgotten lately it is known which they were.
const LATELY_MAX: usize = 256;

/// Progress as a row holds it, with the time of the call.
#[derive(Clone, Debug)]
pub(crate) struct TimedProgress {
    pub(crate) done: i64,
    pub(crate) total: Option<i64>,
    pub(crate) phase: Option<String>,
    pub(crate) now_ns: i64,
}

/// A call that is to be written now.
#[derive(Debug)]
pub(crate) struct Due {
    pub(crate) progress: TimedProgress,
    pub(crate) call: Call,
    /// Whether it is time to write what was kept for tasks that have fallen silent.
    pub(crate) tidy: bool,
}

/// One that was written: its number, and the monotonic clock at its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    number: u64,
    now: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct KeptProgress(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The last number given: of two calls the later has the greater.
    number: u64,
    /// How often a kept one has been forgotten, and of which tasks lately.
    forgotten: u64,
    lately_forgotten: VecDeque<TaskId>,
    /// How many are closing the store, or have.
    closing: usize,
    /// It is tidied up when so many tasks have come, but at least [`TIDY_EVERY_MIN`] …
    tidy_every: usize,
    /// … of which so many have.
    come: usize,
    tasks: HashMap<TaskId, Known>,
}

/// A task in progress that has said how far it has come.
#[derive(Debug, Default)]
struct Known {
    /// When a call was last written, or begun to be: those of the second after it are kept. `None` if the next call is
    /// to be written whenever it comes: before the first was committed, after one failed, and from the end on.
    written: Option<Duration>,
    kept: Option<(u64, TimedProgress)>,
    /// The last call that a transaction has written. What was kept before it is not written any more.
    overtaken: u64,
    /// The last event after which `written` is `None`, whatever becomes of the calls before.
    barrier: u64,
}

impl KeptProgress {
    /// Keeps the progress, in place of an older one, or gives it back if it is due. Once a task's progress is known to
    /// be written, one call a second is due, also if many come at once; until then each is, since only the file knows
    /// whether there is such a task in progress.
    pub(crate) fn keep(&self, id: TaskId, now: Duration, progress: TimedProgress) -> Option<Due> {
        let mut state = self.lock();
        let number = state.next();
        let keeps = state.closing == 0;
        let mut tidy = false;
        if let Some(task) = state.tasks.get_mut(&id) {
            if let Some(written) = &mut task.written {
                if keeps && now.saturating_sub(*written) < WRITE_EVERY {
                    task.kept = Some((number, progress));
                    return None;
                }
                *written = now;
            }
        } else {
            tidy = state.tidy(now);
            state.tasks.insert(id, Known { barrier: number, ..Known::default() });
        }
        Some(Due { progress, call: Call { number, now }, tidy })
    }

    /// Inside the transaction that has written a due call; gives what [`restore`](Self::restore) needs.
    pub(crate) fn overtake(&self, id: TaskId, call: Call) -> u64 {
        let mut state = self.lock();
        let Some(task) = state.tasks.get_mut(&id) else { return 0 };
        let before = task.overtaken;
        task.overtaken = before.max(call.number);
        before
    }

    /// The answer of that transaction.
    pub(crate) fn settle(&self, id: TaskId, call: Call, answer: &Result<()>) {
        match answer {
            Ok(()) => self.committed(id, call),
            Err(Error::NotFound { .. } | Error::WrongState { .. }) => self.forget(id),
            Err(_) => self.write_next(id),
        }
    }

    /// Inside a batch that has written a progress: from here on every call is written, which waits for the batch. Gives
    /// also what [`restore`](Self::restore) needs.
    pub(crate) fn overtake_in_batch(&self, id: TaskId, now: Duration) -> (Call, u64) {
        let mut state = self.lock();
        let number = state.next();
        if !state.tasks.contains_key(&id) {
            // What is kept for silent tasks is written when a call outside a batch comes.
            state.tidy(now);
        }
        let task = state.tasks.entry(id).or_default();
        let before = task.overtaken;
        (task.written, task.overtaken, task.barrier) = (None, number, number);
        (Call { number, now }, before)
    }

    /// Inside a transaction that is rolled back.
    pub(crate) fn restore(&self, id: TaskId, before: u64) {
        if let Some(task) = self.lock().tasks.get_mut(&id) {
            task.overtaken = before;
        }
    }

    fn committed(&self, id: TaskId, call: Call) {
        let mut state = self.lock();
        if let Some(task) = state.tasks.get_mut(&id) {
            if task.barrier <= call.number {
                task.written = task.written.max(Some(call.now));
            }
            state.forget_kept(id, call.number);
        }
    }

    fn write_next(&self, id: TaskId) {
        if let Some(task) = self.lock().tasks.get_mut(&id) {
            task.written = None;
        }
    }

    /// Inside the transaction that ends a task: what is to be written before the end. From here on every call is
    /// written, which waits for the end and is refused behind it.
    pub(crate) fn last(&self, id: TaskId) -> Option<TimedProgress> {
        let mut state = self.lock();
        let number = state.next();
        let task = state.tasks.get_mut(&id)?;
        (task.written, task.barrier) = (None, number);
        task.unwritten().map(|(_, progress)| progress.clone())
    }

    /// The task has ended.
    pub(crate) fn forget(&self, id: TaskId) {
        let mut state = self.lock();
        if state.tasks.remove(&id).is_some_and(|task| task.kept.is_some()) {
            state.note_forgotten(id);
        }
    }

    /// What is to be written when the store closes; or, with a time, what has not been written for a second.
    pub(crate) fn unwritten(&self, silent_at: Option<Duration>) -> Vec<(TaskId, u64, TimedProgress)> {
        let state = self.lock();
        let meant = state.tasks.iter().filter(|(_, task)| silent_at.is_none_or(|now| !task.is_within_second(now)));
        meant.filter_map(|(id, task)| task.unwritten().map(|(number, kept)| (*id, *number, kept.clone()))).collect()
    }

    /// Those were committed, or found to belong to a task that another process has ended.
    pub(crate) fn written(&self, calls: Vec<(TaskId, u64, bool)>, now: Duration) {
        for (id, number, in_progress) in calls {
            if !in_progress {
                self.forget(id);
                continue;
            }
            let mut state = self.lock();
            if let Some(written) = state.tasks.get_mut(&id).and_then(|task| task.written.as_mut()) {
                *written = now;
            }
            state.forget_kept(id, number);
        }
    }

    /// Whether nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().tasks.values().all(|task| task.kept.is_none())
    }

    /// Keeps nothing new until [`keep_again`](Self::keep_again).
    pub(crate) fn stop_keeping(&self) {
        self.lock().closing += 1;
    }

    pub(crate) fn keep_again(&self) {
        self.lock().closing -= 1;
    }

    /// A number that is another one as soon as something kept is forgotten.
    pub(crate) fn state(&self) -> u64 {
        self.lock().forgotten
    }

    /// Lays what is kept over tasks that were read since [`state`](Self::state) was asked. `false` if what was kept for one
    /// of them was forgotten meanwhile: it may have been read before that was written, and be older than it.
    pub(crate) fn lay_over(&self, tasks: &mut [Task], before: u64) -> bool {
        let state = self.lock();
        for task in &mut *tasks {
            let known = state.tasks.get(&task.id);
            lay(task, known.and_then(|known| known.kept.as_ref()));
        }
        let since = usize::try_from(state.forgotten - before).unwrap_or(usize::MAX);
        let mut forgotten = state.lately_forgotten.iter().rev().take(since);
        let mut in_progress = tasks.iter().filter(|task| task.outcome.is_none());
        if since > LATELY_MAX {
            return in_progress.next().is_none();
        }
        forgotten.all(|id| in_progress.clone().all(|task| task.id != *id))
    }

    /// The same for one that was read inside a transaction, which sees its own writes.
    pub(crate) fn lay_over_own(&self, task: &mut Task) {
        lay(task, self.lock().tasks.get(&task.id).and_then(Known::unwritten));
    }

    /// Nothing can panic while this is locked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn forget_kept(&mut self, id: TaskId, until: u64) {
        if let Some(task) = self.tasks.get_mut(&id)
            && task.kept.take_if(|(number, _)| *number <= until).is_some()
        {
            self.note_forgotten(id);
        }
    }

    fn note_forgotten(&mut self, id: TaskId) {
        if self.lately_forgotten.len() == LATELY_MAX {
            self.lately_forgotten.pop_front();
        }
        self.lately_forgotten.push_back(id);
        self.forgotten += 1;
    }

    /// Lets go of the tasks that have fallen silent, when about as many have come as still speak. Gives whether
    /// something is kept for some of them, which is to be written first.
    fn tidy(&mut self, now: Duration) -> bool {
        self.come += 1;
        if self.come < self.tidy_every.max(TIDY_EVERY_MIN) {
            return false;
        }
        // One whose first call is being written may go, too: that costs another write.
        self.tasks.retain(|_, task| task.kept.is_some() || task.is_within_second(now));
        let speaking = self.tasks.values().filter(|task| task.is_within_second(now)).count();
        // Among those that speak are some that were written when it was last tidied up: they alone must not put it off.
        (self.come, self.tidy_every) = (0, speaking.min(2 * self.tidy_every.max(TIDY_EVERY_MIN)));
        speaking < self.tasks.len()
    }
}

impl Known {
    fn is_within_second(&self, now: Duration) -> bool {
        self.written.is_some_and(|written| now.saturating_sub(written) < WRITE_EVERY)
    }

    fn unwritten(&self) -> Option<&(u64, TimedProgress)> {
        self.kept.as_ref().filter(|(number, _)| *number > self.overtaken)
    }
}

/// What a batch has written of progress and ends.
#[derive(Debug, Default)]
pub(crate) struct Uncommitted {
    /// For each task the last call.
    calls: RefCell<HashMap<TaskId, Call>>,
    ended: RefCell<Vec<TaskId>>,
}

impl Uncommitted {
    /// Whether it is the first one of the task, which the undoing of the batch goes back before.
    pub(crate) fn progress(&self, id: TaskId, call: Call) -> bool {
        self.calls.borrow_mut().insert(id, call).is_none()
    }

    pub(crate) fn end(&self, id: TaskId) {
        self.ended.borrow_mut().push(id);
    }

    pub(crate) fn commit(self, kept_progress: &KeptProgress) {
        for (id, call) in self.calls.into_inner() {
            kept_progress.committed(id, call);
        }
        for id in self.ended.into_inner() {
            kept_progress.forget(id);
        }
    }
}

fn lay(task: &mut Task, kept: Option<&(u64, TimedProgress)>) {
    if let Some((_, kept)) = kept
        && task.outcome.is_none()
    {
        let (done, total) = (kept.done.cast_unsigned(), kept.total.map(i64::cast_unsigned));
        task.progress = Some(Progress { done, total, phase: kept.phase.clone() });
        task.updated = task.updated.max(DateTime::from_timestamp_nanos(kept.now_ns));
    }
}

#[cfg(test)]
mod tests;
