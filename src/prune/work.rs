//! The work, in small steps that let others through.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::rules::joined;
use super::{Ended, Phase, PruneProgress, PruneReport, PruneStop};
use crate::maintenance::CleanReport;
use crate::retention::Retention;
use crate::sqlite::space::Wal;
use crate::sqlite::task::prune::{self, Present, Pruned};
use crate::sqlite::{self, Write};
use crate::task::{Dismissed, Outcome, TaskCounts, TaskId};
use crate::{Error, Result, TaskStore};

/// Tasks looked at in one go.
const PAGE: u32 = 1_000;

/// Between two tries to merge the `-wal` while a reader is in the way.
const RETRY: Duration = Duration::from_millis(10);

/// Why it does not go on.
enum Halt {
    Stop(PruneStop),
    Fail(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Fail(error)
    }
}

pub(super) struct Pruning<'a, P> {
    store: &'a TaskStore,
    /// `None` if nothing is written.
    writes: Option<Writing<P>>,
    progress: PruneProgress,
    /// The tasks that there were at the call: what has started or ended since stays.
    present: Present,
    /// The walks before, each with the last task that it has come to.
    walked: Vec<(Arc<Phase>, i64)>,
    /// How much of the file is in use, if nothing is written: about what would be.
    used_bytes: u64,
}

struct Writing<P> {
    tell: P,
    wal: Option<Wal>,
}

impl<'a> Pruning<'a, fn(&PruneProgress) -> ControlFlow<()>> {
    /// Writes nothing.
    pub(super) fn dry(store: &'a TaskStore) -> Self {
        Self::begin(store, None)
    }
}

impl<'a, P: FnMut(&PruneProgress) -> ControlFlow<()>> Pruning<'a, P> {
    pub(super) fn new(store: &'a TaskStore, tell: P) -> Result<Self> {
        let writes = Some(Writing { tell, wal: store.database().wal()? });
        Ok(Self::begin(store, writes))
    }

    fn begin(store: &'a TaskStore, writes: Option<Writing<P>>) -> Self {
        let (progress, present) = (PruneProgress::default(), Present::default());
        Self { store, writes, progress, present, walked: Vec::new(), used_bytes: 0 }
    }

    pub(super) fn run(mut self, retention: &Retention) -> Result<PruneReport> {
        match self.work(retention) {
            Ok(()) => {}
            Err(Halt::Stop(stop)) => self.progress.report.stopped = Some(stop),
            Err(Halt::Fail(error)) => return Err(error),
        }
        Ok(self.progress.report)
    }

    fn work(&mut self, retention: &Retention) -> Result<(), Halt> {
        let now_ns = self.store.context().now_ns()?;
        let mut phases = Phase::of(&retention.rules, now_ns);
        self.present = self.store.database().read(prune::present)?;
        let counts = phases.iter().any(Phase::keeps);
        let walks = u64::try_from(phases.len()).unwrap_or(u64::MAX) + u64::from(counts);
        self.progress.total = walks.saturating_mul(self.present.last.unsigned_abs());
        if self.writes.is_none() {
            let pages = self.store.database().read(sqlite::space::pages)?;
            (self.used_bytes, self.progress.report.bytes) = (pages.used_bytes(), pages.free_bytes());
        }
        if retention.expired_runs {
            self.clean_expired(now_ns)?;
        }
        if counts {
            self.count_newest(&mut phases)?;
        }
        for phase in phases {
            self.walk(Arc::new(phase))?;
        }
        self.give_back()
    }

    fn clean_expired(&mut self, now_ns: i64) -> Result<(), Halt> {
        let database = self.store.database();
        if self.writes.is_none() {
            self.progress.report.expired_runs =
                database.read(|read| sqlite::system_task::count_expired(read, now_ns))?;
            self.estimate(database.read(|read| sqlite::system_task::expired_bytes(read, now_ns))?);
            return Ok(());
        }
        loop {
            let batch = database.write(move |write| sqlite::system_task::clean_expired(write, now_ns))?;
            if batch == CleanReport::default() {
                return Ok(());
            }
            self.progress.report.expired_runs.add(batch);
            self.wait_for_readers()?;
            self.tell()?;
        }
    }

    /// Finds out which tasks are the newest of their configurations.
    fn count_newest(&mut self, phases: &mut [Phase]) -> Result<(), Halt> {
        let shown = joined(phases.iter().filter(|phase| phase.keeps()).map(Phase::shown));
        let (done, last) = (self.progress.done, self.present.last);
        let mut before = last.saturating_add(1);
        loop {
            let page = self.store.database().read(|read| prune::newest(read, shown, before, PAGE))?;
            for task in page.iter().filter(|task| !self.present.in_progress.contains(&task.id)) {
                phases.iter_mut().for_each(|phase| phase.count(task));
            }
            let Some(oldest) = page.last() else { break };
            before = oldest.id.get();
            self.progress.done = done + (last - before).max(0).unsigned_abs();
            self.tell()?;
        }
        self.progress.done = done + last.unsigned_abs();
        Ok(())
    }

    /// Goes through the tasks, the oldest first, and deletes those that the rules of the phase take.
    fn walk(&mut self, phase: Arc<Phase>) -> Result<(), Halt> {
        let (done, last, shown) = (self.progress.done, self.present.last, phase.shown());
        let mut behind = 0;
        while !self.fits(&phase)? {
            let page = self.page(shown, behind)?;
            let Some(newest) = page.last() else { break };
            // Those that a walk before has taken are still there if nothing is written.
            let gone =
                |task: &Ended| self.walked.iter().any(|(phase, until)| task.id.get() <= *until && phase.takes(task));
            let was_in_progress = |task: &Ended| self.present.in_progress.contains(&task.id);
            let goes = |task: &&Ended| phase.takes(task) && !was_in_progress(task) && !gone(task);
            let ids: Vec<_> = page.iter().filter(goes).map(|task| task.id).collect();
            if let Some(until) = self.take(&phase, &ids)? {
                behind = until.get() - 1;
                break;
            }
            behind = newest.id.get();
            self.progress.done = done + behind.unsigned_abs();
            self.tell()?;
        }
        self.progress.done = done + last.unsigned_abs();
        self.walked.push((phase, behind));
        Ok(())
    }

    /// Without those that have started since the call, or it would have no end where others write without a pause.
    fn page(&self, shown: Dismissed, behind: i64) -> Result<Vec<Ended>> {
        let mut page = self.store.database().read(|read| prune::oldest(read, shown, behind, PAGE))?;
        page.retain(|task| task.id.get() <= self.present.last);
        Ok(page)
    }

    /// Whether the file is no larger than it may be.
    fn fits(&self, phase: &Phase) -> Result<bool> {
        let Some(max) = phase.file_bytes_max else { return Ok(false) };
        if self.writes.is_none() {
            return Ok(self.used_bytes <= max);
        }
        Ok(self.store.database().read(sqlite::space::pages)?.used_bytes() <= max)
    }

    /// Deletes those tasks that still go, until the file fits: then it gives the first that stays for that.
    fn take(&mut self, phase: &Arc<Phase>, mut ids: &[TaskId]) -> Result<Option<TaskId>, Halt> {
        while let Some(first) = ids.first() {
            let pruned = self.take_some(phase, ids)?;
            if pruned.is_big {
                self.shorten(phase, *first)?;
                ids = ids.get(1..).unwrap_or_default();
            } else {
                self.count(&pruned);
                ids = ids.get(pruned.dealt_with..).unwrap_or_default();
            }
            if pruned.fits {
                return Ok(ids.first().copied());
            }
            self.wait_for_readers()?;
            self.tell()?;
        }
        Ok(None)
    }

    fn take_some(&self, phase: &Arc<Phase>, ids: &[TaskId]) -> Result<Pruned> {
        if self.writes.is_none() {
            return self.store.database().read(|read| prune::rehearse(read, phase, ids, self.used_bytes));
        }
        let (phase, ids) = (Arc::clone(phase), ids.to_vec());
        self.store.database().write(move |write| prune::prune(write, &phase, &ids))
    }

    /// Deletes a task that has too many messages for one transaction. It is not stopped amid that.
    fn shorten(&mut self, phase: &Arc<Phase>, id: TaskId) -> Result<(), Halt> {
        let first = self.store.database().read(|read| prune::first_of_levels(read, id))?;
        // Whether it still goes is for the first transaction to say.
        let mut judge = Some(Arc::clone(phase));
        loop {
            let phase = judge.take();
            let write = move |write: &Write<'_>| prune::shorten(write, phase.as_deref(), id, first);
            let shortened = self.store.database().write(write)?;
            self.progress.report.messages += shortened.messages;
            if let Some(task) = &shortened.task {
                *counted_as(&mut self.progress.report.tasks, task) += 1;
            }
            if shortened.is_done {
                return Ok(());
            }
            // It goes on whatever is answered, and is answered again when the task has gone.
            let _ = self.wait_for_readers();
            let _ = self.tell();
        }
    }

    fn count(&mut self, pruned: &Pruned) {
        let report = &mut self.progress.report;
        report.messages += pruned.messages;
        pruned.tasks.iter().for_each(|task| *counted_as(&mut report.tasks, task) += 1);
        if self.writes.is_none() {
            self.estimate(pruned.bytes);
        }
    }

    /// So many bytes would be given back.
    fn estimate(&mut self, bytes: u64) {
        self.progress.report.bytes += bytes;
        self.used_bytes = self.used_bytes.saturating_sub(bytes);
    }

    /// Cuts the free pages off the file.
    fn give_back(&mut self) -> Result<(), Halt> {
        if self.writes.is_none() {
            return Ok(());
        }
        let free_bytes = self.store.database().read(sqlite::space::pages)?.free_bytes();
        let before = self.progress.report.bytes;
        // In the unit of the other steps a page is about a task.
        self.progress.total = self.progress.total.saturating_add(free_bytes >> 12);
        let done = self.progress.done;
        loop {
            let bytes = self.store.database().write(sqlite::space::give_back)?;
            if bytes == 0 {
                break;
            }
            self.progress.report.bytes += bytes;
            let given_back = (self.progress.report.bytes - before).min(free_bytes);
            self.progress.done = done + (given_back >> 12);
            self.wait_for_readers()?;
            self.tell()?;
        }
        if let Some(wal) = self.writes.as_ref().and_then(|writes| writes.wal.as_ref()) {
            self.store.database().refuse_inside()?;
            // What a reader keeps from being merged is, later.
            wal.merge()?;
        }
        Ok(())
    }

    fn tell(&mut self) -> Result<(), Halt> {
        match self.writes.as_mut().map(|writes| (writes.tell)(&self.progress)) {
            Some(ControlFlow::Break(())) => Err(Halt::Stop(PruneStop::Asked)),
            Some(ControlFlow::Continue(())) | None => Ok(()),
        }
    }

    /// Goes on when the `-wal` is not too large.
    fn wait_for_readers(&mut self) -> Result<(), Halt> {
        let is_small = |writes: &Option<Writing<P>>| {
            let wal = writes.as_ref().and_then(|writes| writes.wal.as_ref());
            wal.map_or(Ok(true), Wal::is_small)
        };
        let begun = Instant::now();
        loop {
            // Its connection is its own: it must not merge what a crash has left.
            self.store.database().refuse_inside()?;
            if is_small(&self.writes)? {
                return Ok(());
            }
            let left = self.store.database().busy_timeout().saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Err(Halt::Stop(PruneStop::ReaderHeld));
            }
            thread::sleep(RETRY.min(left));
            self.tell()?;
        }
    }
}

fn counted_as<'a>(counts: &'a mut TaskCounts, task: &Ended) -> &'a mut u64 {
    match (task.outcome, task.dismissed) {
        (Outcome::Finished, false) => &mut counts.finished,
        (Outcome::Failed, false) => &mut counts.failed,
        (Outcome::Interrupted, false) => &mut counts.interrupted,
        (Outcome::Finished, true) => &mut counts.dismissed_finished,
        (Outcome::Failed, true) => &mut counts.dismissed_failed,
        (Outcome::Interrupted, true) => &mut counts.dismissed_interrupted,
    }
}
