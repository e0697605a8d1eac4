//! Any script of pasts: it is written as it was told, and the store is sound.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use taskstore::testing::{GivenRun, GivenTask, Moment, Span, given, stage};
use taskstore::{Level, LogLevel, Outcome, Progress, RunOptions, StartedRun, SystemTaskStatus, TaskId, TaskStore};

use super::store_at_noon;
use crate::support::messages;

fn one_in(share: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.div_ceil(share), ..usual }
}

/// How a time is told.
#[derive(Clone, Copy, Debug)]
enum Form {
    Relative,
    Rfc3339,
    DateTime,
}

/// What happens so long after what was before it.
type Step<Act> = (u64, Form, Act);

#[derive(Clone, Debug)]
enum Said {
    Message(Level, String),
    Progress(u64),
}

#[derive(Clone, Debug)]
enum End {
    Finished,
    Failed(Option<String>),
    Interrupted(Option<String>),
}

#[derive(Clone, Debug)]
struct TaskScript {
    title: String,
    by: String,
    /// How long before now the last step is.
    ago: u64,
    form: Form,
    said: Vec<Step<Said>>,
    end: Option<Step<End>>,
    /// Dismissed, restored, dismissed …
    put_away: Vec<Step<()>>,
}

/// What a task shows.
#[derive(Debug, Default, PartialEq)]
struct Shown {
    title: String,
    by: String,
    outcome: Option<Outcome>,
    times: [Option<DateTime<Utc>>; 4],
    progress: Option<Progress>,
    messages: Vec<(DateTime<Utc>, Level, String)>,
    level_reached: Option<Level>,
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(&[Form::Relative, Form::Rfc3339, Form::DateTime][..])
}

/// Often none, and of every size.
fn nanoseconds() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 1..10_u64, 1..10_000_000_000_u64, 1..10_000_000_000_000_000_u64]
}

fn step<Act: std::fmt::Debug>(act: impl Strategy<Value = Act>) -> impl Strategy<Value = Step<Act>> {
    (nanoseconds(), form(), act)
}

fn end() -> impl Strategy<Value = End> {
    let reason = || prop::option::of("[a-c ]{1,5}");
    prop_oneof![Just(End::Finished), reason().prop_map(End::Failed), reason().prop_map(End::Interrupted)]
}

fn task_script() -> impl Strategy<Value = TaskScript> {
    let message =
        (prop::sample::select(&Level::ALL[..]), ".{0,9}").prop_map(|(level, text)| Said::Message(level, text));
    let said = prop::collection::vec(
        step(prop_oneof![message, any::<u32>().prop_map(|done| Said::Progress(done.into()))]),
        0..6,
    );
    let put_away = prop::collection::vec(step(Just(())), 0..4);
    ("[a-z]{0,4}", "[a-z]{0,4}", nanoseconds(), form(), said, prop::option::of(step(end())), put_away).prop_map(
        |(title, by, ago, form, said, end, put_away)| {
            let put_away = if end.is_some() { put_away } else { Vec::new() };
            TaskScript { title, by, ago, form, said, end, put_away }
        },
    )
}

/// A clock that goes through a script.
struct Walk {
    now: DateTime<Utc>,
    at: DateTime<Utc>,
}

impl Walk {
    fn begin(now: DateTime<Utc>, ago: u64, gaps: impl Iterator<Item = u64>) -> Self {
        let ns = i64::try_from(ago + gaps.sum::<u64>()).unwrap();
        Self { now, at: now - TimeDelta::nanoseconds(ns) }
    }

    fn moment(&mut self, gap: u64, form: Form) -> Moment {
        self.at += TimeDelta::nanoseconds(i64::try_from(gap).unwrap());
        match form {
            Form::Relative => format!("-{}", Span::from((self.now - self.at).to_std().unwrap())).into(),
            Form::Rfc3339 => self.at.to_rfc3339().into(),
            Form::DateTime => self.at.into(),
        }
    }
}

/// Writes a task, and tells what it must show.
fn write_task(store: &TaskStore, now: DateTime<Utc>, script: &TaskScript) -> (TaskId, Shown) {
    let TaskScript { title, by, ago, form, said, end, put_away } = script;
    let gaps =
        said.iter().map(|step| step.0).chain(end.iter().map(|step| step.0)).chain(put_away.iter().map(|step| step.0));
    let mut walk = Walk::begin(now, *ago, gaps);
    let mut told = given(store).task(title).by(by).started(walk.moment(0, *form));
    let mut shown = Shown { title: title.clone(), by: by.clone(), ..Shown::default() };
    shown.times = [Some(walk.at), Some(walk.at), None, None];
    for (gap, form, said) in said {
        let moment = walk.moment(*gap, *form);
        shown.times[1] = Some(walk.at);
        told = match said {
            Said::Message(level, text) => {
                shown.messages.push((walk.at, *level, text.clone()));
                message(told, moment, *level, text)
            }
            Said::Progress(done) => {
                shown.progress = Some(Progress::new(*done));
                told.progress(moment, Progress::new(*done))
            }
        };
    }
    let Some((gap, form, end)) = end else { return (told.write().unwrap(), with_level(shown)) };
    let moment = walk.moment(*gap, *form);
    shown.times = [shown.times[0], Some(walk.at), Some(walk.at), None];
    let (outcome, reason) = match end {
        End::Finished => (Outcome::Finished, None),
        End::Failed(reason) => (Outcome::Failed, reason.clone()),
        End::Interrupted(None) => (Outcome::Interrupted, Some("ended without finish or fail".to_owned())),
        End::Interrupted(reason) => (Outcome::Interrupted, reason.clone()),
    };
    shown.outcome = Some(outcome);
    shown.messages.extend(reason.map(|reason| (walk.at, Level::Error, reason)));
    let mut told = match end {
        End::Finished => told.finished(moment),
        End::Failed(None) => told.failed(moment),
        End::Failed(Some(reason)) => told.failed_with(moment, reason),
        End::Interrupted(None) => told.interrupted(moment),
        End::Interrupted(Some(reason)) => told.interrupted_with(moment, reason),
    };
    for pair in put_away.chunks(2) {
        let dismissed = told.dismissed(walk.moment(pair[0].0, pair[0].1), "ann");
        shown.times[1] = Some(walk.at);
        shown.times[3] = Some(walk.at);
        let Some((gap, form, ())) = pair.get(1) else { return (dismissed.write().unwrap(), with_level(shown)) };
        told = dismissed.restored(walk.moment(*gap, *form));
        shown.times[1] = Some(walk.at);
        shown.times[3] = None;
    }
    (told.write().unwrap(), with_level(shown))
}

fn with_level(shown: Shown) -> Shown {
    let highest = shown.messages.iter().map(|(_, level, _)| *level).max();
    Shown { level_reached: highest.filter(|level| *level >= Level::Warn), ..shown }
}

fn message<'a>(
    told: GivenTask<'a, stage::InProgress>,
    moment: Moment,
    level: Level,
    text: &str,
) -> GivenTask<'a, stage::InProgress> {
    match level {
        Level::Trace => told.trace(moment, text),
        Level::Debug => told.debug(moment, text),
        Level::Info => told.message(moment, text),
        Level::Warn => told.warn(moment, text),
        Level::Error => told.error(moment, text),
    }
}

fn shown(store: &TaskStore, id: TaskId) -> Shown {
    let task = store.task(id).unwrap();
    let messages = messages(store, id).into_iter().map(|message| (message.time, message.level, message.text)).collect();
    Shown {
        title: task.title,
        by: task.performed_by,
        outcome: task.outcome,
        times: [Some(task.started), Some(task.updated), task.finished, task.dismissed],
        progress: task.progress,
        messages,
        level_reached: task.level_reached,
    }
}

#[derive(Clone, Debug)]
struct RunScript {
    /// Of two system tasks.
    name: &'static str,
    ago: u64,
    form: Form,
    logged: Vec<Step<(LogLevel, String)>>,
    status: Option<Step<SystemTaskStatus>>,
    end: Option<Step<End>>,
    only_on_failure: bool,
    /// So long after the end.
    expires: Option<u64>,
}

/// What a run shows.
#[derive(Debug, PartialEq)]
struct ShownRun {
    status: Option<SystemTaskStatus>,
    interrupted: bool,
    times: [Option<DateTime<Utc>>; 3],
    duration: Option<Duration>,
    events: Vec<(DateTime<Utc>, LogLevel, String)>,
}

fn run_script() -> impl Strategy<Value = RunScript> {
    let name = prop::sample::select(&["backup", "sync"][..]);
    let logged = prop::collection::vec(step((prop::sample::select(&LogLevel::ALL[..]), ".{0,9}")), 0..4);
    let status = prop::option::of(step(prop::sample::select(&SystemTaskStatus::ALL[..])));
    let ends = (prop::option::of(step(end())), any::<bool>(), prop::option::of(nanoseconds()));
    (name, nanoseconds(), form(), logged, status, ends).prop_map(
        |(name, ago, form, logged, status, (end, only_on_failure, expires))| RunScript {
            name,
            ago,
            form,
            logged,
            status,
            end,
            only_on_failure,
            expires,
        },
    )
}

/// Writes a run, and tells what it must show.
fn write_run(store: &TaskStore, now: DateTime<Utc>, script: &RunScript) -> (StartedRun, ShownRun) {
    let RunScript { name, ago, form, logged, status, end, only_on_failure, expires } = script;
    let gaps =
        logged.iter().map(|step| step.0).chain(status.iter().map(|step| step.0)).chain(end.iter().map(|step| step.0));
    let mut walk = Walk::begin(now, *ago, gaps);
    let options = if *only_on_failure { RunOptions::new().only_on_failure() } else { RunOptions::new() };
    let mut told = given(store).system_task(*name).run_with(options).started(walk.moment(0, *form));
    let started = walk.at;
    let mut shown = ShownRun {
        status: None,
        interrupted: false,
        times: [Some(started), None, None],
        duration: None,
        events: Vec::new(),
    };
    for (gap, form, (level, text)) in logged {
        told = told.log(walk.moment(*gap, *form), *level, text);
        shown.events.push((walk.at, *level, text.clone()));
    }
    if let Some((gap, form, status)) = status {
        told = told.status(walk.moment(*gap, *form), *status, ["set"]);
        shown.status = Some(*status);
        shown.events.push((walk.at, LogLevel::Info, "set".to_owned()));
    }
    let Some((gap, form, end)) = end else { return (told.write().unwrap(), shown) };
    let moment = walk.moment(*gap, *form);
    let reason = match end {
        End::Finished | End::Failed(None) => None,
        End::Interrupted(None) => Some("ended without finish".to_owned()),
        End::Failed(reason) | End::Interrupted(reason) => reason.clone(),
    };
    shown.events.extend(reason.map(|reason| (walk.at, LogLevel::Error, reason)));
    shown.interrupted = matches!(end, End::Interrupted(_));
    shown.status = match end {
        End::Finished => shown.status.or(Some(SystemTaskStatus::Successful)),
        End::Failed(_) | End::Interrupted(_) => Some(SystemTaskStatus::Error),
    };
    shown.duration = Some((walk.at - started).to_std().unwrap());
    let after = expires.map_or(TimeDelta::hours(6), |ns| TimeDelta::nanoseconds(i64::try_from(ns).unwrap()));
    shown.times = [Some(started), Some(walk.at), Some(walk.at + after)];
    let told = ended(told, moment, end);
    let told = if expires.is_some() { told.expires(walk.at + after) } else { told };
    (told.write().unwrap(), shown)
}

fn ended<'a>(told: GivenRun<'a, stage::InProgress>, moment: Moment, end: &End) -> GivenRun<'a, stage::Ended> {
    match end {
        End::Finished => told.finished(moment),
        End::Failed(None) => told.failed(moment),
        End::Failed(Some(reason)) => told.failed_with(moment, reason),
        End::Interrupted(None) => told.interrupted(moment),
        End::Interrupted(Some(reason)) => told.interrupted_with(moment, reason),
    }
}

fn shown_run(store: &TaskStore, run: &StartedRun) -> ShownRun {
    let history = store.system_tasks().history(run.uuid(), None, 1_000).unwrap().items;
    let found = history.into_iter().find(|found| found.id == run.id()).unwrap();
    let events = store.system_tasks().events(run.id(), 0, 1_000).unwrap();
    ShownRun {
        status: found.status,
        interrupted: found.interrupted,
        times: [Some(found.started), found.finished, found.expires],
        duration: found.duration,
        events: events.into_iter().map(|event| (event.time, event.level, event.event)).collect(),
    }
}

proptest! {
    #![proptest_config(one_in(8))]

    #[test]
    fn any_script_is_written_as_it_was_told(
        tasks in prop::collection::vec(task_script(), 0..6), runs in prop::collection::vec(run_script(), 0..6),
    ) {
        let (store, clock) = store_at_noon();
        let now = taskstore::Clock::now(&clock);
        let tasks: Vec<_> = tasks.iter().map(|script| write_task(&store, now, script)).collect();
        let written: Vec<_> = runs.iter().map(|script| write_run(&store, now, script)).collect();
        prop_assert_eq!(store.check().unwrap(), []);
        for (id, expected) in &tasks {
            prop_assert_eq!(&shown(&store, *id), expected);
        }
        let rising = tasks.windows(2).all(|pair| pair[0].0 < pair[1].0);
        prop_assert!(rising);
        for (run, expected) in &written {
            prop_assert_eq!(&shown_run(&store, run), expected);
        }
        for name in ["backup", "sync"] {
            let Some(uuid) = store.system_tasks().find(name, None).unwrap() else { continue };
            let ended = runs.iter().zip(&written).enumerate().filter(|(_, (script, (_, run)))| {
                script.name == name && run.times[1].is_some()
            });
            let last = ended.max_by_key(|(index, (_, (_, run)))| (run.times[1], *index)).map(|(_, last)| last);
            let expected = last.filter(|(script, (_, run))| {
                !(script.only_on_failure && run.status == Some(SystemTaskStatus::Successful))
            });
            let found = store.system_tasks().retrieve(uuid).ok().and_then(|found| found.shown_run);
            prop_assert_eq!(found.map(|run| run.id), expected.map(|(_, (run, _))| run.id()));
        }
    }
}

#[test]
fn control_what_is_written_otherwise_than_told_is_found() {
    let (store, clock) = store_at_noon();
    let now = taskstore::Clock::now(&clock);
    let script = TaskScript {
        title: "t".to_owned(),
        by: "ann".to_owned(),
        ago: 0,
        form: Form::Relative,
        said: vec![(1, Form::Relative, Said::Message(Level::Warn, "m".to_owned()))],
        end: Some((1, Form::Relative, End::Failed(None))),
        put_away: vec![(1, Form::Relative, ())],
    };
    let (_, expected) = write_task(&store, now, &script);
    let changed = |change: &dyn Fn(&mut TaskScript)| {
        let mut other = script.clone();
        change(&mut other);
        let (id, _) = write_task(&store, now, &other);
        shown(&store, id)
    };
    assert_eq!(changed(&|_| ()), expected);
    let changes: [&dyn Fn(&mut TaskScript); 6] = [
        &|other| other.ago = 1,
        &|other| other.said[0].0 = 2,
        &|other| other.said[0].2 = Said::Message(Level::Error, "m".to_owned()),
        &|other| other.said.push((0, Form::Relative, Said::Progress(1))),
        &|other| other.end.as_mut().unwrap().2 = End::Failed(Some("r".to_owned())),
        &|other| other.put_away.push((0, Form::Relative, ())),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert_ne!(changed(change), expected, "change {number}");
    }
}
