//! A clock that jumps: back an hour, ahead ten years, to the ends of what can be stored and past them, into a leap second.
//! `PROPTEST_CASES` sets for how many sequences of forty operations, which makes ten thousand operations by default.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use taskstore::{Clock, Dismissed, Error, Level, NewTask, Order, Progress, RunId, RunningSystemTask};
use taskstore::{TaskFilter, TaskId, TaskStore};
use uuid::Uuid;

use crate::support::{ManualClock, Nanoseconds as _, everything, messages, options};

/// 2024-11-21T12:00:00Z.
const NOON_NS: i64 = 1_732_190_400_000_000_000;
const SECOND_NS: i64 = 1_000_000_000;
const HOUR_NS: i64 = 3_600 * SECOND_NS;
const TEN_YEARS_NS: i64 = 87_660 * HOUR_NS;
const OPERATIONS: usize = 40;

#[derive(Clone, Debug)]
enum Step {
    /// The wall clock and the monotonic one go on.
    Pass(i64),
    /// The wall clock alone is moved.
    Jump(i64),
    Set(DateTime<Utc>),
    Start,
    Message(usize),
    Progress(usize),
    Finish(usize),
    Fail(usize),
    Dismiss(usize),
    Restore(usize),
    StartRun(u8),
    Log(usize),
    FinishRun(usize),
    Clean,
}

fn times() -> impl Strategy<Value = DateTime<Utc>> {
    let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    // The second before midnight counts on to the leap second.
    let leap = utc("2016-12-31T23:59:59Z").timestamp();
    prop_oneof![
        Just(DateTime::from_timestamp_nanos(NOON_NS)),
        Just(DateTime::from_timestamp_nanos(i64::MIN)),
        Just(DateTime::from_timestamp_nanos(i64::MAX)),
        Just(DateTime::from_timestamp(leap, 1_500_000_000).unwrap()),
        Just(utc("1969-12-31T23:59:59.999999999Z")),
        Just(utc("1600-01-01T00:00:00Z")),
        Just(utc("2300-01-01T00:00:00Z")),
        Just(utc("9999-12-31T23:59:59Z")),
        Just(DateTime::<Utc>::MAX_UTC),
        Just(DateTime::<Utc>::MIN_UTC),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let any = 0_usize..8;
    let step = prop_oneof![
        3 => (0_i64..10 * HOUR_NS).prop_map(Step::Pass),
        2 => prop_oneof![Just(-HOUR_NS), Just(TEN_YEARS_NS), Just(-1), Just(0)].prop_map(Step::Jump),
        2 => times().prop_map(Step::Set),
        4 => Just(Step::Start),
        3 => any.clone().prop_map(Step::Message),
        1 => any.clone().prop_map(Step::Progress),
        2 => any.clone().prop_map(Step::Finish),
        1 => any.clone().prop_map(Step::Fail),
        1 => any.clone().prop_map(Step::Dismiss),
        1 => any.clone().prop_map(Step::Restore),
        3 => (0_u8..3).prop_map(Step::StartRun),
        2 => any.clone().prop_map(Step::Log),
        2 => any.prop_map(Step::FinishRun),
        1 => Just(Step::Clean),
    ];
    prop::collection::vec(step, OPERATIONS)
}

/// A store, and what must be in it.
struct World {
    store: TaskStore,
    clock: ManualClock,
    tasks: Vec<TaskId>,
    /// What was added to each, in order.
    said: BTreeMap<TaskId, Vec<String>>,
    runs: Vec<(RunningSystemTask, Duration)>,
    /// What each run logged, in order.
    logged: BTreeMap<RunId, (Uuid, Vec<String>)>,
    /// How long each took, by the monotonic clock.
    took: BTreeMap<RunId, Duration>,
    next: usize,
}

impl World {
    fn new() -> Self {
        let clock = ManualClock::at_ns(NOON_NS);
        Self {
            store: options().clock(clock.clone()).open_temporary().unwrap(),
            clock,
            tasks: Vec::new(),
            said: BTreeMap::new(),
            runs: Vec::new(),
            logged: BTreeMap::new(),
            took: BTreeMap::new(),
            next: 0,
        }
    }

    fn is_in_range(&self) -> bool {
        self.clock.now().timestamp_nanos_opt().is_some()
    }

    fn task(&self, place: usize) -> Option<TaskId> {
        self.tasks.get(place % self.tasks.len().max(1)).copied()
    }

    fn text(&mut self) -> String {
        self.next += 1;
        format!("{:05}", self.next)
    }

    /// Whether it was done. It may be refused for the state of its task, or for the clock.
    fn accepted<T>(&self, answer: Result<T, Error>) -> Option<T> {
        match answer {
            Ok(value) => {
                assert!(self.is_in_range(), "written at {}", self.clock.now());
                Some(value)
            }
            Err(Error::TimeOutOfRange { field: "clock", .. }) => {
                assert!(!self.is_in_range(), "refused at {}", self.clock.now());
                None
            }
            Err(Error::WrongState { .. }) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    fn perform(&mut self, step: &Step) {
        let before = (!self.is_in_range()).then(|| everything(&self.store));
        self.change(step);
        if let Some(before) = before {
            assert_eq!(everything(&self.store), before, "{step:?} with a clock that no row can hold");
        }
    }

    fn change(&mut self, step: &Step) {
        match *step {
            Step::Pass(ns) => {
                // As far as a calendar goes.
                if self.is_in_range() {
                    self.clock.advance_ns(ns);
                }
            }
            Step::Jump(ns) => {
                if let Some(now) = self.clock.now().timestamp_nanos_opt() {
                    self.clock.set_ns(now.saturating_add(ns));
                }
            }
            Step::Set(time) => self.clock.set(time),
            Step::Start => {
                if let Some(id) = self.accepted(self.store.start_detached(NewTask::new("task"))) {
                    self.tasks.push(id);
                }
            }
            Step::Message(place) => {
                let (Some(id), text) = (self.task(place), self.text()) else { return };
                if self.accepted(self.store.message(id, Level::Info, text.as_str())).is_some() {
                    self.said.entry(id).or_default().push(text);
                }
            }
            Step::Fail(place) => {
                let (Some(id), text) = (self.task(place), self.text()) else { return };
                if self.accepted(self.store.fail(id, text.as_str())).is_some() {
                    self.said.entry(id).or_default().push(text);
                }
            }
            Step::Progress(place) => self.change_task(place, |store, id| store.progress(id, &Progress::new(1))),
            Step::Finish(place) => self.change_task(place, TaskStore::finish),
            Step::Dismiss(place) => self.change_task(place, |store, id| store.dismiss(id, "ann")),
            Step::Restore(place) => self.change_task(place, TaskStore::restore),
            Step::StartRun(name) => {
                if let Some(run) = self.accepted(self.store.system_tasks().start(format!("job {name}"), None)) {
                    self.logged.insert(run.id(), (run.uuid(), Vec::new()));
                    self.runs.push((run, self.clock.monotonic()));
                }
            }
            Step::Log(place) => {
                let text = self.text();
                let Some((run, _)) = self.runs.get(place % self.runs.len().max(1)) else { return };
                if self.accepted(run.info(text.as_str(), ())).is_some() {
                    self.logged.get_mut(&run.id()).unwrap().1.push(text);
                }
            }
            Step::FinishRun(place) => {
                // What the clock refuses would be ended by the guard when it goes.
                if self.runs.is_empty() || !self.is_in_range() {
                    return;
                }
                let (run, started) = self.runs.remove(place % self.runs.len());
                self.took.insert(run.id(), self.clock.monotonic() - started);
                run.finish().map_err(|error| error.to_string()).unwrap();
            }
            Step::Clean => self.clean(),
        }
    }

    fn change_task(&self, place: usize, change: impl Fn(&TaskStore, TaskId) -> Result<(), Error>) {
        if let Some(id) = self.task(place) {
            self.accepted(change(&self.store, id));
        }
    }

    /// Only what has ended and has expired by the clock goes, and all of that.
    fn clean(&mut self) {
        let now = self.clock.now();
        let is_kept = |run: &taskstore::Run| run.expires.is_none_or(|expires| expires > now);
        let kept: Vec<_> = self.history().into_iter().filter(is_kept).map(|run| run.id).collect();
        if self.accepted(self.store.clean_expired()).is_some() {
            let left: Vec<_> = self.history().into_iter().map(|run| run.id).collect();
            assert_eq!(left, kept);
            self.logged.retain(|id, _| kept.contains(id));
        }
    }

    /// All runs that must still be there.
    fn history(&self) -> Vec<taskstore::Run> {
        let mut uuids: Vec<_> = self.logged.values().map(|(uuid, _)| *uuid).collect();
        uuids.sort();
        uuids.dedup();
        let history = |uuid| match self.store.system_tasks().history(uuid, None, 1_000) {
            Ok(page) => page.items,
            // It went with its last run.
            Err(Error::NoSuchSystemTask { .. }) => Vec::new(),
            Err(error) => panic!("{error:?}"),
        };
        let mut runs: Vec<_> = uuids.into_iter().flat_map(history).collect();
        runs.sort_by_key(|run| run.id);
        runs
    }

    fn check(&self) {
        assert_eq!(self.store.check().unwrap(), []);
        for id in &self.tasks {
            let task = self.store.task(*id).unwrap();
            assert!(task.finished.is_none_or(|finished| finished >= task.started), "{task:?}");
            assert!(task.updated >= task.started.max(task.finished.unwrap_or(task.started)), "{task:?}");
            assert!(task.dismissed.is_none_or(|dismissed| dismissed >= task.finished.unwrap()), "{task:?}");
            let said = messages(&self.store, *id);
            assert!(said.iter().map(|message| message.seq).eq(1..=u64::try_from(said.len()).unwrap()));
            let texts: Vec<_> = said.into_iter().map(|message| message.text).collect();
            assert_eq!(texts, self.said.get(id).cloned().unwrap_or_default());
        }
        self.check_lists();
        let runs = self.history();
        assert!(runs.iter().map(|run| &run.id).eq(self.logged.keys()));
        for run in runs {
            assert_eq!(run.duration, self.took.get(&run.id).copied(), "{run:?}");
            assert!(run.finished.is_none_or(|finished| finished >= run.started), "{run:?}");
            let events = self.store.system_tasks().events(run.id, 0, 1_000).unwrap();
            assert!(events.into_iter().map(|event| event.event).eq(self.logged[&run.id].1.iter().cloned()));
        }
    }

    /// By id, whatever the clock said; and page by page the same as at once.
    fn check_lists(&self) {
        for order in [Order::OldestFirst, Order::NewestFirst, Order::RecentlyUpdated, Order::LongestRunning] {
            let filter = TaskFilter::new().dismissed(Dismissed::Included).order(order);
            let whole = self.store.list(&filter).unwrap().items;
            let (mut paged, mut page) = (Vec::new(), self.store.list(&filter.clone().limit(3)).unwrap());
            loop {
                paged.append(&mut page.items);
                let Some(next) = page.next else { break };
                page = self.store.list(&filter.clone().limit(3).cursor(next)).unwrap();
            }
            assert_eq!(paged, whole, "{order:?}");
            let mut ids: Vec<_> = whole.iter().map(|task| task.id).collect();
            if order == Order::NewestFirst {
                ids.reverse();
            }
            if matches!(order, Order::OldestFirst | Order::NewestFirst) {
                assert_eq!(ids, self.tasks, "{order:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_the_clock_does_no_time_is_negative_and_nothing_changes_its_order(steps in steps()) {
        let mut world = World::new();
        steps.iter().for_each(|step| world.perform(step));
        world.check();
    }
}

/// The control: ordered by time, as the clock told it, messages are not in the order in which they came.
#[test]
fn an_order_by_time_would_be_another_one() {
    let mut world = World::new();
    world.perform(&Step::Start);
    for step in [Step::Message(0), Step::Jump(-HOUR_NS), Step::Message(0)] {
        world.perform(&step);
    }
    world.check();
    let mut said = messages(&world.store, world.tasks[0]);
    said.sort_by_key(|message| message.time);
    assert_eq!(said.iter().map(|message| message.seq).collect::<Vec<_>>(), [2, 1]);
}
