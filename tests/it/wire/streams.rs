//! Answers as streams: what they write is what serde writes for the data, and is read back to the nanosecond.

use std::io;

use proptest::prelude::*;
use taskstore::wire::task_api::{self, Answer, DismissedMember, ListRequest, TaskList, write_list, write_task};
use taskstore::{Dismissed, Error, Level, NewTask, Order, TaskFilter, TaskState, TaskStore};

use super::{list, show};
use crate::support::{ManualClock, Nanoseconds as _, Slow, messages, options, start, task_id, temporary};

/// A task that is to be recorded: its texts, its times, and how it ends.
#[derive(Clone, Debug)]
struct Plan {
    title: String,
    performed_by: String,
    configuration: bool,
    times: [i64; 3],
    messages: Vec<String>,
    end: u8,
    dismissed_by: Option<String>,
}

fn text(bytes: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), bytes).prop_map(|text| text.into_iter().filter(|c| *c != '\0').collect())
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let dismissed_by = prop::option::of(text(1..8)).prop_map(|by| by.filter(|by| !by.is_empty()));
    let times: [std::ops::Range<i64>; 3] = [i64::MIN..i64::MAX, 0..1_000_000_000_000, 0..1_000];
    let plan = (
        text(0..12),
        text(0..8),
        any::<bool>(),
        times,
        prop::collection::vec(text(0..12), 0..4),
        0..4_u8,
        dismissed_by,
    );
    let plan = plan.prop_map(|(title, performed_by, configuration, times, messages, end, dismissed_by)| Plan {
        title,
        performed_by,
        configuration,
        times,
        messages,
        end,
        dismissed_by,
    });
    prop::collection::vec(plan, 0..8)
}

fn record(store: &TaskStore, clock: &ManualClock, plans: &[Plan]) {
    let prod = store.configurations().add("prod \"1\"").unwrap();
    for plan in plans {
        clock.set_ns(plan.times[0]);
        let new = NewTask::new(plan.title.as_str()).performed_by(plan.performed_by.as_str());
        let task = store.start(if plan.configuration { new.configuration(prod) } else { new }).unwrap();
        clock.set_ns(plan.times[0].saturating_add(plan.times[1]));
        for message in &plan.messages {
            task.message(Level::Debug, message.as_str()).unwrap();
            clock.set_ns(plan.times[0].saturating_add(plan.times[2]));
        }
        let id = task.id();
        match plan.end {
            0 => drop(task.detach().unwrap()),
            1 => task.finish().unwrap(),
            2 => task.fail("because").unwrap(),
            _ => drop(task),
        }
        if let Some(by) = plan.dismissed_by.as_ref().filter(|_| plan.end > 0) {
            store.dismiss(id, by.as_str()).unwrap();
        }
    }
}

/// What the wire must say of a task that the store shows.
fn on_the_wire(store: &TaskStore, task: taskstore::Task) -> task_api::Task {
    let state = match task.state() {
        TaskState::InProgress => "In Progress",
        TaskState::Finished => "End",
        TaskState::Failed | TaskState::Interrupted => "Failed",
        TaskState::Dismissed => "Dismissed",
    };
    let said = messages(store, task.id).into_iter();
    task_api::Task {
        configuration_id: task.configuration_id.map_or(0, |id| id.get()),
        configuration_name: task.configuration_name,
        hidden_by: task.dismissed_by.unwrap_or_default(),
        finished: task.finished,
        messages: said.map(|said| task_api::Message { message: said.text, time: said.time }).collect(),
        performed_by: task.performed_by,
        started: task.started,
        state: state.to_owned(),
        task_id: task.id.get(),
        title: task.title,
        updated: task.updated,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back_to_the_nanosecond_and_written_again_to_the_byte(
        plans in plans(),
        in_memory: bool,
        show_hidden: bool,
    ) {
        let clock = ManualClock::at_ns(0);
        let options = options().clock(clock.clone());
        let store = if in_memory { options.open_in_memory() } else { options.open_temporary() }.unwrap();
        record(&store, &clock, &plans);

        let written = list(&store, &format!(r#"{{"params":{{"show_hidden":{show_hidden}}}}}"#));
        let read: Answer<TaskList> = serde_json::from_str(&written).unwrap();
        let dismissed = if show_hidden { Dismissed::Included } else { Dismissed::Hidden };
        let shown = store.list(&TaskFilter::new().dismissed(dismissed).order(Order::NewestFirst)).unwrap().items;
        let tasks: Vec<_> = shown.into_iter().map(|task| on_the_wire(&store, task)).collect();
        prop_assert_eq!(&read, &Answer::success(TaskList { tasks: tasks.clone() }));
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), written);

        for task in tasks {
            let written = show(&store, task_id(task.task_id), DismissedMember::HiddenBy);
            let read: Answer<task_api::Task> = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(&read, &Answer::success(task));
            prop_assert_eq!(serde_json::to_string(&read).unwrap(), written);
        }
    }
}

/// Takes so many bytes, then fails.
struct Short {
    taken: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.bytes_max - self.taken.len();
        if room == 0 && !bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone"));
        }
        let bytes = &bytes[..room.min(bytes.len())];
        self.taken.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_short(bytes_max: usize, write: &dyn Fn(&mut Short) -> taskstore::Result<()>) -> Vec<u8> {
    let mut out = Short { taken: Vec::new(), bytes_max };
    let error = write(&mut out).unwrap_err();
    let Error::Io { action: "write the answer", source } = error else { panic!("{error:?}") };
    assert_eq!(source.kind(), io::ErrorKind::BrokenPipe);
    out.taken
}

#[test]
fn a_client_that_goes_away_anywhere_is_an_error_and_leaves_json_that_is_cut_off() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let id = start(&store, "t");
        store.message(id, Level::Info, "said").unwrap();
        let list = list(&store, "");
        let task = show(&store, id, DismissedMember::HiddenBy);
        let write_list = |out: &mut Short| write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, out);
        let write_task = |out: &mut Short| write_task(&store, id, DismissedMember::HiddenBy, out);
        for cut in 0..list.len() {
            assert_eq!(write_short(cut, &write_list), list.as_bytes()[..cut]);
        }
        for cut in 0..task.len() {
            assert_eq!(write_short(cut, &write_task), task.as_bytes()[..cut]);
        }
        let mut whole = Short { taken: Vec::new(), bytes_max: list.len() };
        write_list(&mut whole).unwrap();
        assert_eq!(whole.taken, list.as_bytes());
    }
}

#[test]
fn a_long_answer_is_cut_off_where_the_client_went_away() {
    let store = temporary();
    let id = start(&store, "t");
    let text = "x".repeat(100_000);
    store.batch(|batch| (0..10).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))).unwrap();
    let whole = list(&store, "");
    let write = |out: &mut Short| write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, out);
    for cut in [1, 65_535, 65_536, 65_537, 500_000, whole.len() - 1] {
        let taken = write_short(cut, &write);
        assert_eq!(taken, whole.as_bytes()[..taken.len()]);
        assert!(taken.len() <= cut);
        assert!(serde_json::from_slice::<serde_json::Value>(&taken).is_err());
    }
}

#[test]
fn a_store_that_fails_in_the_midst_is_its_own_error_and_not_the_client_s() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = crate::support::open(&path);
    let id = start(&store, "t");
    crate::support::files::shell(&path).execute_batch("DROP TABLE message").unwrap();
    let (mut list, mut task) = (Vec::new(), Vec::new());
    let errors = [
        write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, &mut list).unwrap_err(),
        write_task(&store, id, DismissedMember::HiddenBy, &mut task).unwrap_err(),
    ];
    for (error, answer) in errors.into_iter().zip([list, task]) {
        assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
        assert!(serde_json::from_slice::<serde_json::Value>(&answer).is_err());
    }
}

#[test]
fn a_slow_client_gets_one_snapshot_and_holds_up_no_other_call() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let text = "x".repeat(50_000);
        for n in 0..5 {
            let id = start(&store, &n.to_string());
            store.message(id, Level::Info, text.as_str()).unwrap();
        }
        let before = list(&store, "");
        let mut written = 0;
        let while_writing = || {
            written += 1;
            let id = start(&store, "meanwhile");
            store.finish(id).unwrap();
            store.message(task_id(1), Level::Info, "meanwhile").unwrap();
            assert_eq!(store.task(id).unwrap().title, "meanwhile");
        };
        let mut out = Slow::new(while_writing);
        write_list(&store, ListRequest::default(), DismissedMember::HiddenBy, &mut out).unwrap();
        assert!(out.taken == before.as_bytes());
        assert!(written > 0);
    }
}
