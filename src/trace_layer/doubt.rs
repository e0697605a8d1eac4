//! After a commit of which it is not known whether it was written: whether it was. All of a transaction is in the file or
//! nothing, so one entry tells of all.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::record::Report;
use super::traced::{End, Ending, Entry, Recorded, Start, Traced, TracedEvent};
use crate::sqlite::{self, look};
use crate::system_task::RunId;
use crate::task::{Dismissed, NewTask, Outcome, Task, TaskFilter, TaskId};
use crate::{Error, Result, TaskStore};

/// What the transaction has written, if it is in the file. Where nothing tells, since it has only added to what others have
/// ended or deleted, it is taken for not written: to write it again is refused.
pub(super) fn find(store: &TaskStore, live: &HashMap<u64, Arc<Traced>>, entries: &[Entry]) -> Result<Option<Report>> {
    let mut known: Vec<Recorded> = live.values().filter_map(|traced| traced.recorded.get().copied()).collect();
    // What the transaction has started, if it was written, or joined.
    let mut started: HashMap<u64, Recorded> = HashMap::new();
    let recorded = |started: &HashMap<u64, Recorded>, traced: &Traced| {
        traced.recorded.get().or_else(|| started.get(&traced.number)).copied()
    };
    let look = Look { store, page: store.context().limits.page_rows_max };
    let mut report = Report::default();
    let mut is_there = None;
    for entry in entries {
        match entry {
            Entry::Start(traced, start) => {
                let Some((found, by_this)) = look.start(start, &known)? else { return Ok(None) };
                known.push(found);
                started.insert(traced.number, found);
                report.started.push((Arc::clone(traced), found));
                if by_this {
                    is_there = Some(true);
                }
            }
            Entry::Event(traced, event) => {
                if let (None, Some(recorded)) = (is_there, recorded(&started, traced)) {
                    is_there = look.event(recorded, event)?;
                }
            }
            Entry::End(traced, end) => {
                if let (None, Some(recorded)) = (is_there, recorded(&started, traced)) {
                    is_there = look.end(recorded, end)?;
                }
                report.ended.push(Arc::clone(traced));
            }
        }
        if is_there == Some(false) {
            return Ok(None);
        }
    }
    Ok(is_there.unwrap_or(false).then_some(report))
}

/// Each look gives `None` where it tells nothing.
struct Look<'a> {
    store: &'a TaskStore,
    /// The rows of a page.
    page: u32,
}

impl Look<'_> {
    /// What was started, and whether it was by this start, and not by one with the same key before; `None` if it was not.
    fn start(&self, start: &Start, known: &[Recorded]) -> Result<Option<(Recorded, bool)>> {
        let is_new = |found: &Recorded| !known.contains(found);
        let (found, time_ns) = match start {
            Start::Task { task, time_ns, .. } => {
                let found = match &task.key {
                    Some(key) => self.store.database().read(|read| look::task_of_key(read, key))?.map(Recorded::Task),
                    None => self.tasks(task, time(*time_ns))?.into_iter().map(Recorded::Task).find(is_new),
                };
                (found, *time_ns)
            }
            Start::Run(run) => {
                let found = self.store.database().read(|read| {
                    let found = sqlite::system_task::find(read, &run.name, run.uid.as_deref())?;
                    let Some((system_task, _)) = found else { return Ok(Vec::new()) };
                    match &run.key {
                        Some(key) => Ok(Vec::from_iter(look::run_of_key(read, system_task, key)?)),
                        None => look::runs_at(read, system_task, run.now_ns),
                    }
                })?;
                let mut found = found.into_iter().map(Recorded::Run);
                (if run.key.is_some() { found.next() } else { found.find(is_new) }, run.now_ns)
            }
        };
        let Some(found) = found else { return Ok(None) };
        let started = match found {
            Recorded::Task(id) => self.task(id)?.map(|task| task.started),
            Recorded::Run(id) => self.run_times(id)?.map(|(started, _)| started),
        };
        Ok(Some((found, is_new(&found) && started == Some(time(time_ns)))))
    }

    /// Those without a key that look so, oldest first.
    fn tasks(&self, task: &NewTask, started: DateTime<Utc>) -> Result<Vec<TaskId>> {
        let all = TaskFilter::new().dismissed(Dismissed::Included).started(started..=started).limit(self.page);
        let mut same = Vec::new();
        let mut filter = Some(all.clone());
        while let Some(next) = filter {
            let page = self.store.list(&next)?;
            let is_same = |found: &&Task| {
                (&found.title, &found.performed_by, &found.key) == (&task.title, &task.performed_by, &None)
            };
            same.extend(page.items.iter().filter(is_same).map(|found| found.id));
            filter = page.next.map(|cursor| all.clone().cursor(cursor));
        }
        same.reverse();
        Ok(same)
    }

    /// That it is missing tells nothing if the store would have refused it.
    fn event(&self, recorded: Recorded, event: &TracedEvent) -> Result<Option<bool>> {
        let is_open = match recorded {
            Recorded::Task(id) => self.task(id)?.map(|task| task.outcome.is_none()),
            Recorded::Run(id) => self.run_times(id)?.map(|(_, finished)| finished.is_none()),
        };
        let Some(is_open) = is_open else { return Ok(None) };
        let is_there = self.has_event(recorded, event)?;
        Ok((is_there || is_open).then_some(is_there))
    }

    fn has_event(&self, recorded: Recorded, event: &TracedEvent) -> Result<bool> {
        let said = time(event.time_ns);
        let mut after = 0;
        loop {
            let (is_there, last) = match recorded {
                Recorded::Task(id) => {
                    let page = self.store.messages(id, after, self.page)?;
                    let is_there = page.iter().any(|found| found.time == said && found.text == event.text);
                    (is_there, page.last().map(|last| last.seq))
                }
                Recorded::Run(id) => {
                    let page = self.store.system_tasks().events(id, after, self.page)?;
                    let is_there = page.iter().any(|found| found.time == said && found.event == event.text);
                    (is_there, page.last().map(|last| last.seq))
                }
            };
            match last {
                Some(last) if !is_there => after = last,
                _ => return Ok(is_there),
            }
        }
    }

    /// Nothing ends before the time that it was told to; what has, somebody else has ended.
    fn end(&self, recorded: Recorded, end: &End) -> Result<Option<bool>> {
        let (finished, is_same) = match recorded {
            Recorded::Task(id) => {
                let Some(task) = self.task(id)? else { return Ok(None) };
                let outcome = match end.how {
                    Ending::Finished => Outcome::Finished,
                    Ending::Failed(_) => Outcome::Failed,
                    Ending::Interrupted(_) => Outcome::Interrupted,
                };
                (task.finished, task.outcome == Some(outcome))
            }
            Recorded::Run(id) => {
                let Some((_, finished)) = self.run_times(id)? else { return Ok(None) };
                (finished, true)
            }
        };
        let Some(finished) = finished else { return Ok(Some(false)) };
        Ok((is_same && finished >= time(end.time_ns)).then_some(true))
    }

    fn task(&self, id: TaskId) -> Result<Option<Task>> {
        match self.store.task(id) {
            Err(Error::NotFound { .. }) => Ok(None),
            other => other.map(Some),
        }
    }

    fn run_times(&self, id: RunId) -> Result<Option<look::RunTimes>> {
        self.store.database().read(|read| look::run_times(read, id))
    }
}

fn time(time_ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(time_ns)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::record::record;
    use super::super::traced::tests::event as said;
    use super::super::traced::{End, Ending, Kind, Tail};
    use super::*;
    use crate::NewTask;
    use crate::system_task::RunOptions;
    use crate::system_task::operation::to_start;

    fn task(number: u64) -> Arc<Traced> {
        Arc::new(Traced::new(number, Kind::Task))
    }

    fn start(traced: &Arc<Traced>, title: &str, key: Option<&str>) -> Entry {
        let task = NewTask { key: key.map(str::to_owned), ..NewTask::new(title) };
        Entry::Start(Arc::clone(traced), Arc::new(Start::Task { task, no_configuration: None, time_ns: 7 }))
    }

    fn event(traced: &Arc<Traced>, text: &str) -> Entry {
        Entry::Event(Arc::clone(traced), TracedEvent { time_ns: 8, ..said(text) })
    }

    fn end(traced: &Arc<Traced>) -> Entry {
        let end = End { how: Ending::Finished, time_ns: 9, duration: Duration::ZERO, tail: Tail::default() };
        Entry::End(Arc::clone(traced), Arc::new(end))
    }

    fn job(key: Option<&str>) -> (Arc<Traced>, impl Fn(&TaskStore) -> Entry) {
        let run = Arc::new(Traced::new(9, Kind::Run { name: "job".to_owned(), started: Duration::ZERO }));
        let (of_start, key) = (Arc::clone(&run), key.map(str::to_owned));
        let start = move |store: &TaskStore| {
            let options = RunOptions { key: key.clone(), ..RunOptions::new() };
            let start = to_start(store.context(), "job".to_owned(), None, options, None).unwrap();
            Entry::Start(Arc::clone(&of_start), Arc::new(Start::Run(start)))
        };
        (run, start)
    }

    /// Writes the entries, and gives what they have started. With `look` it looks for them before and after.
    fn write(store: &TaskStore, live: &mut HashMap<u64, Arc<Traced>>, entries: Vec<Entry>, look: bool) {
        let (context, entries) = (store.context().clone(), Arc::new(entries));
        if look {
            assert!(find(store, live, &entries).unwrap().is_none(), "{entries:?} was not written");
        }
        let all = Arc::clone(&entries);
        let report = store.write_owned(move |write| record(write, &context, &all)).unwrap();
        if look {
            let found = find(store, live, &entries).unwrap().expect("it was written");
            let ids = |report: &Report| report.started.iter().map(|(_, recorded)| *recorded).collect::<Vec<_>>();
            assert_eq!((ids(&found), found.ended.len()), (ids(&report), report.ended.len()));
        }
        for (traced, recorded) in report.started {
            traced.recorded.set(recorded).unwrap();
            live.insert(traced.number, traced);
        }
    }

    #[test]
    fn a_transaction_is_found_when_it_was_written_and_only_then() {
        let store = TaskStore::open_in_memory().unwrap();
        let mut live = HashMap::new();
        let tasks: Vec<_> = (0..4).map(task).collect();
        let run = Arc::new(Traced::new(9, Kind::Run { name: "job".to_owned(), started: Duration::ZERO }));
        // One that looks the same is there already.
        write(&store, &mut live, vec![start(&tasks[0], "same", None)], false);
        write(&store, &mut live, vec![start(&tasks[1], "same", None), start(&tasks[2], "same", None)], true);
        let job = to_start(store.context(), "job".to_owned(), None, RunOptions::new(), None).unwrap();
        let job = Entry::Start(Arc::clone(&run), Arc::new(Start::Run(job)));
        write(&store, &mut live, vec![start(&tasks[3], "keyed", Some("key")), job], true);
        for traced in tasks.iter().chain([&run]) {
            write(&store, &mut live, vec![event(traced, "one")], true);
            write(&store, &mut live, vec![event(traced, "two"), end(traced)], true);
        }
        // An end by itself: that of a task is seen.
        let last = task(5);
        write(&store, &mut live, vec![start(&last, "last", None)], true);
        write(&store, &mut live, vec![end(&last)], true);
    }

    #[test]
    fn a_start_with_a_key_that_joins_an_older_task_or_run_is_found_by_what_it_adds() {
        let store = TaskStore::open_in_memory().unwrap();
        let mut live = HashMap::new();
        store.start_detached(NewTask::new("older").key("key")).unwrap();
        let joins = task(1);
        let entries = vec![start(&joins, "newer", Some("key")), event(&joins, "one"), event(&joins, "two")];
        write(&store, &mut live, entries, true);
        write(&store, &mut live, vec![end(&joins)], true);

        let run = store.system_tasks().start_with("job", None, RunOptions::new().key("key")).unwrap();
        let (joins, joining) = job(Some("key"));
        write(&store, &mut live, vec![joining(&store), event(&joins, "one")], true);
        // Others that have the same name do not matter.
        let (other, starting) = job(None);
        write(&store, &mut live, vec![starting(&store), event(&other, "one"), end(&other)], true);
        write(&store, &mut live, vec![end(&joins)], true);
        run.finish().unwrap_err();
    }

    #[test]
    fn a_start_is_found_behind_many_later_ones() {
        let limits = crate::Limits { page_rows_max: 2, ..crate::Limits::default() };
        let store = crate::OpenOptions::new().limits(limits).open_in_memory().unwrap();
        let (mut live, traced) = (HashMap::new(), task(1));
        let (run, starting) = job(None);
        let entries = [start(&traced, "first", None), starting(&store)];
        let (context, again) = (store.context().clone(), Arc::new(entries));
        let all = Arc::clone(&again);
        store.write_owned(move |write| record(write, &context, &*all)).unwrap();
        for number in 2..9 {
            write(&store, &mut live, vec![start(&task(number), "same", None)], false);
            store.system_tasks().start("job", None).unwrap().finish().unwrap();
        }
        let found = find(&store, &live, &*again).unwrap().expect("it was written");
        assert_eq!(found.started.iter().map(|(traced, _)| traced.number).collect::<Vec<_>>(), [1, run.number]);
    }

    #[test]
    fn what_somebody_else_has_ended_or_deleted_tells_nothing() {
        let store = TaskStore::open_in_memory().unwrap();
        let mut live = HashMap::new();
        let (ended, deleted, open) = (task(1), task(2), task(3));
        for traced in [&ended, &deleted, &open] {
            write(&store, &mut live, vec![start(traced, "same", None)], false);
        }
        let id = |traced: &Traced| match traced.recorded.get() {
            Some(Recorded::Task(id)) => *id,
            other => panic!("{other:?}"),
        };
        store.fail(id(&ended), "").unwrap();
        store.finish(id(&deleted)).unwrap();
        store.delete(id(&deleted)).unwrap();
        let entries = || vec![event(&ended, "one"), event(&deleted, "one"), end(&ended), event(&open, "one")];
        write(&store, &mut live, entries(), true);
        assert_eq!(store.task(id(&open)).unwrap().message_count, 1);
    }
}
