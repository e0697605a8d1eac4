//! After a commit of which it is not known whether it was written: whether it was. All of a transaction is in the file or
//! nothing, so one entry tells of all.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::DateTime;

use super::record::Report;
use super::traced::{Entry, Recorded, Start, Traced, TracedEvent};
use crate::task::{Dismissed, Task, TaskFilter};
use crate::{Result, TaskStore};

/// What is looked for was written a moment ago: it is among so many newest ones.
const NEWEST: u32 = 1_000;

/// What the transaction has written, if it is in the file. What tells nothing, such as a start with a key or the end of a
/// run, is harmless to write again.
pub(super) fn find(store: &TaskStore, live: &HashMap<u64, Arc<Traced>>, entries: &[Entry]) -> Result<Option<Report>> {
    let mut known: Vec<Recorded> = live.values().filter_map(|traced| traced.recorded.get().copied()).collect();
    let mut report = Report::default();
    let mut is_there = None;
    for entry in entries {
        match entry {
            Entry::Start(traced, start) => {
                let Some(recorded) = find_start(store, start, &known)? else { return Ok(None) };
                known.push(recorded);
                report.started.push((Arc::clone(traced), recorded));
                if !has_key(start) {
                    is_there = Some(true);
                }
            }
            Entry::Event(traced, event) => {
                if let (None, Some(recorded)) = (is_there, traced.recorded.get()) {
                    is_there = Some(has_event(store, *recorded, event)?);
                }
            }
            Entry::End(traced, _) => {
                if let (None, Some(Recorded::Task(id))) = (is_there, traced.recorded.get()) {
                    is_there = Some(store.task(*id)?.outcome.is_some());
                }
                report.ended.push(Arc::clone(traced));
            }
        }
    }
    Ok(is_there.unwrap_or(false).then_some(report))
}

fn has_key(start: &Start) -> bool {
    match start {
        Start::Task { task, .. } => task.key.is_some(),
        Start::Run(run) => run.key.is_some(),
    }
}

/// One that was started at that very time, and is none of those already known.
fn find_start(store: &TaskStore, start: &Start, known: &[Recorded]) -> Result<Option<Recorded>> {
    let limit = NEWEST.min(store.context().limits.page_rows_max);
    match start {
        Start::Task { task, time_ns, .. } => {
            let (started, filter) = (DateTime::from_timestamp_nanos(*time_ns), TaskFilter::new());
            let newest = store.list(&filter.dismissed(Dismissed::Included).limit(limit))?.items;
            let is_same = |found: &Task| match &task.key {
                Some(_) => found.key == task.key,
                None => {
                    let given = (started, &task.title, &task.performed_by, &None);
                    (found.started, &found.title, &found.performed_by, &found.key) == given
                }
            };
            let same = newest.into_iter().rev().filter(is_same);
            Ok(same.map(|found| Recorded::Task(found.id)).find(|found| !known.contains(found)))
        }
        Start::Run(run) => {
            let system_tasks = store.system_tasks();
            let Some(uuid) = system_tasks.find(&run.name, run.uid.as_deref())? else { return Ok(None) };
            let started = DateTime::from_timestamp_nanos(run.now_ns);
            let newest = system_tasks.history(uuid, None, limit)?.items;
            let same = newest.into_iter().rev().filter(|found| found.started == started);
            Ok(same.map(|found| Recorded::Run(found.id)).find(|found| !known.contains(found)))
        }
    }
}

fn has_event(store: &TaskStore, recorded: Recorded, event: &TracedEvent) -> Result<bool> {
    let limit = NEWEST.min(store.context().limits.page_rows_max);
    let time = DateTime::from_timestamp_nanos(event.time_ns);
    match recorded {
        Recorded::Task(id) => {
            let newest = store.tail(id, limit)?;
            Ok(newest.iter().any(|found| found.time == time && found.text == event.text))
        }
        Recorded::Run(id) => {
            let mut after = 0;
            loop {
                let page = store.system_tasks().events(id, after, limit)?;
                let Some(last) = page.last() else { return Ok(false) };
                if page.iter().any(|found| found.time == time && found.event == event.text) {
                    return Ok(true);
                }
                after = last.seq;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::Duration;

    use super::super::record::record;
    use super::super::traced::{End, Ending, Kind, Tail};
    use super::*;
    use crate::system_task::RunOptions;
    use crate::system_task::operation::to_start;
    use crate::{Level, NewTask};

    fn task(number: u64) -> Arc<Traced> {
        Arc::new(Traced::new(number, Kind::Task))
    }

    fn start(traced: &Arc<Traced>, title: &str, key: Option<&str>) -> Entry {
        let task = NewTask { key: key.map(str::to_owned), ..NewTask::new(title) };
        Entry::Start(Arc::clone(traced), Arc::new(Start::Task { task, no_configuration: None, time_ns: 7 }))
    }

    fn event(traced: &Arc<Traced>, text: &str) -> Entry {
        let (logger, attributes) = (Cow::Borrowed("here"), String::new());
        let event = TracedEvent { time_ns: 8, level: Level::Info, logger, text: text.to_owned(), attributes };
        Entry::Event(Arc::clone(traced), event)
    }

    fn end(traced: &Arc<Traced>) -> Entry {
        let end = End { how: Ending::Finished, time_ns: 9, duration: Duration::ZERO, tail: Tail::default() };
        Entry::End(Arc::clone(traced), Arc::new(end))
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
}
