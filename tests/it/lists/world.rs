//! A store and its model, to which the same happens.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use taskstore::{Clock, ConfigurationId, Error, Level, NewTask, OpenOptions, Outcome, Progress, TaskId, TaskStore};

use super::model::{CONFIGURATIONS, Model, Row, Said};
use crate::support::{ManualClock, Nanoseconds as _, configuration_id, options};

/// Of what texts are made: letters whose cases are folded in each way there is, what has a meaning for SQL, for patterns
/// and for C, and what is one letter to the eye and two characters.
pub(crate) const TEXTS: &[&str] = &[
    "a", "A", "ä", "Ä", "ß", "ẞ", "s", "ſ", "σ", "ς", "Σ", "k", "K", "\u{212a}", "д", "Д", "é", "e\u{301}", "İ", "👩",
    "%", "_", "\\", "*", "?", "[", "'", "\"", " ",
];

pub(crate) const USERS: &[&str] = &["", "ann", "Ann", "änn", "ÄNN", "a%"];

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Start {
        configuration: Option<usize>,
        title: String,
        user: &'static str,
    },
    /// To one of the tasks there are.
    Touch(Index, Touch),
    DismissAll(Option<usize>, &'static str),
    DeleteConfiguration(usize),
    /// Time passes; or, if it is negative, the wall clock alone goes back.
    Clock(i64),
}

/// What may happen to a task. It is refused where the task is not in a state for it.
#[derive(Clone, Debug)]
pub(crate) enum Touch {
    Message(Level, String),
    MessageOnce(&'static str, Level, String),
    Progress(u64),
    Finish,
    Fail(String),
    Interrupt,
    Dismiss(&'static str),
    Restore,
    Delete,
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(select(TEXTS), 0..5).prop_map(|atoms| atoms.concat())
}

fn message() -> impl Strategy<Value = String> {
    (text(), select(&["", "", "", "\0", "\n"][..]), text()).prop_map(|(before, inner, behind)| before + inner + &behind)
}

pub(crate) fn touches() -> impl Strategy<Value = Touch> {
    // A user who dismisses is named.
    let user = || select(&USERS[1..]);
    let level = || select(&Level::ALL[..]);
    prop_oneof![
        6 => (level(), message()).prop_map(|(level, text)| Touch::Message(level, text)),
        2 => (select(&["x", "y"][..]), level(), message()).prop_map(|(key, level, text)| Touch::MessageOnce(key, level, text)),
        6 => (0..9_u64).prop_map(Touch::Progress),
        3 => Just(Touch::Finish),
        3 => message().prop_map(Touch::Fail),
        3 => Just(Touch::Interrupt),
        5 => user().prop_map(Touch::Dismiss),
        2 => Just(Touch::Restore),
        1 => Just(Touch::Delete),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let configuration = || prop::option::of(0..CONFIGURATIONS);
    let start = (prop::option::weighted(0.7, 0..CONFIGURATIONS), text(), select(USERS));
    prop_oneof![
        16 => start.prop_map(|(configuration, title, user)| Step::Start { configuration, title, user }),
        28 => (any::<Index>(), touches()).prop_map(|(index, touch)| Step::Touch(index, touch)),
        1 => (configuration(), select(&USERS[1..])).prop_map(|(configuration, user)| Step::DismissAll(configuration, user)),
        1 => (0..CONFIGURATIONS).prop_map(Step::DeleteConfiguration),
        5 => (-20..40_i64).prop_map(Step::Clock),
        1 => select(&[999_999_999, 1_000_000_000, -1_000_000_000][..]).prop_map(Step::Clock),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..100)
}

/// Configurations are added in order, so that their ids are known.
pub(crate) fn configuration(number: usize) -> ConfigurationId {
    configuration_id(i64::try_from(number).unwrap() + 1)
}

pub(crate) struct World {
    pub(crate) store: TaskStore,
    pub(crate) clock: ManualClock,
    pub(crate) model: Model,
    /// The id of the task that was started last.
    newest: i64,
}

impl World {
    /// In memory, on a clock that stands still until a step moves it.
    pub(crate) fn new(steps: &[Step]) -> Self {
        let clock = ManualClock::at_ns(0);
        let mut world = Self::opened(&options().clock(clock.clone()), clock);
        steps.iter().for_each(|step| world.take(step));
        world
    }

    /// The same by options whose clock is this one, or goes by it.
    pub(crate) fn opened(options: &OpenOptions, clock: ManualClock) -> Self {
        let store = options.open_in_memory().unwrap();
        for number in 0..CONFIGURATIONS {
            assert_eq!(store.configurations().add(number.to_string()).unwrap(), configuration(number));
        }
        let now = clock.now().timestamp_nanos_opt().unwrap();
        Self { store, clock, model: Model { now, ..Model::default() }, newest: 0 }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        match step {
            Step::Start { configuration, title, user } => self.start(*configuration, title, user),
            Step::Touch(_, _) if self.model.rows.is_empty() => {}
            Step::Touch(index, touch) => self.touch(self.model.rows[index.index(self.model.rows.len())].id, touch),
            Step::DismissAll(number, user) => {
                self.store.dismiss_all(number.map(configuration), *user).unwrap();
                let Model { rows, deleted, now } = &mut self.model;
                let is_meant = |row: &&mut Row| {
                    let of_it = number.is_none_or(|number| row.configuration == Some(number) && !deleted[number]);
                    of_it && row.outcome.is_some() && row.dismissed_by.is_none()
                };
                rows.iter_mut().filter(is_meant).for_each(|row| {
                    row.updated = row.updated.max(*now);
                    row.dismissed_by = Some(user);
                });
            }
            Step::DeleteConfiguration(number) => {
                let answer = self.store.configurations().delete(configuration(*number));
                assert_eq!(answer.is_ok(), !self.model.deleted[*number]);
                self.model.deleted[*number] = true;
            }
            Step::Clock(ns) => {
                self.clock.advance_ns(*ns);
                self.model.now += ns;
            }
        }
    }

    fn start(&mut self, number: Option<usize>, title: &str, user: &'static str) {
        let number = number.filter(|number| !self.model.deleted[*number]);
        let new = NewTask::new(title).performed_by(user);
        let new = number.into_iter().fold(new, |new, number| new.configuration(configuration(number)));
        let id = self.store.start_detached(new.key(key_of(self.newest + 1))).unwrap();
        self.newest += 1;
        assert_eq!(id.get(), self.newest);
        let now = self.model.now;
        self.model.rows.push(Row {
            id,
            configuration: number,
            title: title.to_owned(),
            performed_by: user,
            outcome: None,
            started: now,
            updated: now,
            finished: None,
            dismissed_by: None,
            messages: Vec::new(),
            written: None,
            kept: None,
        });
    }

    /// Something happens to a task of the model, or is refused by both.
    pub(crate) fn touch(&mut self, id: TaskId, touch: &Touch) {
        let (now, monotonic) = (self.model.now, self.clock.monotonic());
        let place = self.model.rows.iter().position(|row| row.id == id);
        let answer = call(&self.store, id, touch);
        let Some(place) = place else {
            assert!(matches!(answer, Err(Error::NotFound { .. })) || matches!(touch, Touch::Interrupt));
            return;
        };
        let row = &mut self.model.rows[place];
        let is_repeated =
            matches!(touch, Touch::MessageOnce(key, ..) if row.messages.iter().any(|said| said.key == Some(key)));
        let is_allowed = match touch {
            Touch::Dismiss(_) => row.outcome.is_some() && row.dismissed_by.is_none(),
            Touch::Restore => row.dismissed_by.is_some(),
            Touch::Delete => row.outcome.is_some(),
            _ => row.outcome.is_none(),
        };
        // A guard that is dropped late says nothing.
        let is_silent = is_repeated || matches!(touch, Touch::Interrupt);
        assert_eq!(answer.is_ok(), is_allowed || is_silent, "{touch:?} of {row:?}: {answer:?}");
        if !is_allowed || is_repeated {
            return;
        }
        if matches!(touch, Touch::Delete) {
            self.model.rows.remove(place);
        } else {
            row.change(touch, now, monotonic);
        }
    }
}

/// Each task has a key, with which its guard is got.
pub(crate) fn key_of(id: i64) -> String {
    format!("task {id}")
}

fn call(store: &TaskStore, id: TaskId, touch: &Touch) -> taskstore::Result<()> {
    match touch.clone() {
        Touch::Message(level, text) => store.message(id, level, text),
        Touch::MessageOnce(key, level, text) => store.message_once(id, key, level, text),
        Touch::Progress(done) => store.progress(id, &Progress::new(done)),
        Touch::Finish => store.finish(id),
        Touch::Fail(reason) => store.fail(id, reason),
        Touch::Interrupt => {
            // A repeated start gives a guard of the first; of a task that is gone there is none.
            let is_there = store.task(id).is_ok();
            is_there.then(|| store.start(NewTask::new("").key(key_of(id.get())))).transpose().map(drop)
        }
        Touch::Dismiss(user) => store.dismiss(id, user),
        Touch::Restore => store.restore(id),
        Touch::Delete => store.delete(id),
    }
}

impl Row {
    fn change(&mut self, touch: &Touch, now: i64, monotonic: std::time::Duration) {
        match touch {
            Touch::Message(level, text) => self.say(*level, text, None),
            Touch::MessageOnce(key, level, text) => self.say(*level, text, Some(key)),
            Touch::Progress(_) => {
                if self.written.is_some_and(|then| (monotonic - then).as_secs() < 1) {
                    self.kept = Some(now);
                    return;
                }
                (self.written, self.kept) = (Some(monotonic), None);
            }
            Touch::Finish => self.end(Outcome::Finished, ""),
            Touch::Fail(reason) => self.end(Outcome::Failed, reason),
            Touch::Interrupt => self.end(Outcome::Interrupted, "ended without finish or fail"),
            Touch::Dismiss(user) => self.dismissed_by = Some(user),
            Touch::Restore => self.dismissed_by = None,
            Touch::Delete => unreachable!("a row that goes is not changed"),
        }
        self.updated = self.updated.max(now);
        if self.outcome.is_some() {
            self.finished = self.finished.or(Some(self.updated));
        }
    }

    fn say(&mut self, level: Level, text: &str, key: Option<&'static str>) {
        self.messages.push(Said { level, text: text.to_owned(), key });
    }

    fn end(&mut self, outcome: Outcome, reason: &str) {
        if !reason.is_empty() {
            self.say(Level::Error, reason, None);
        }
        self.updated = self.updated.max(self.kept.take().unwrap_or(self.updated));
        self.outcome = Some(outcome);
    }
}
