//! What a writer calls: always the same, in a circle, so that the number of its answers says what must be in the file.

use taskstore::{
    Error, Level, LogEvent, LogLevel, NewTask, Outcome, Result, RunOptions, RunningTask, StartedRun, SystemTaskStatus,
    TaskId, TaskStore,
};

use super::left::{Left, LeftRun, LeftTask};
use crate::support::configuration_id;

#[derive(Clone, Copy, Debug)]
enum Call {
    Start,
    Message(&'static str),
    Finish,
    Dismiss,
    Restore,
    /// The second of two is answered by the first.
    StartKeyed,
    /// The same.
    MessageOnce,
    Fail,
    DismissFailed,
    /// Two tasks at once: one ended, with two messages, and one in progress.
    Batch,
    /// Of the ended one.
    Delete,
    StartRun,
    Log,
    /// With two events.
    SetStatus,
    FinishRun,
    /// With a guard, whose task is interrupted if its process is killed.
    StartGuarded,
    MessageGuarded,
    FinishGuarded,
}

const CIRCLE: &[Call] = &[
    Call::Start,
    Call::Message("one"),
    Call::Message("two"),
    Call::Finish,
    Call::Dismiss,
    Call::Restore,
    Call::StartKeyed,
    Call::StartKeyed,
    Call::MessageOnce,
    Call::MessageOnce,
    Call::Fail,
    Call::DismissFailed,
    Call::Batch,
    Call::Delete,
    Call::StartRun,
    Call::Log,
    Call::SetStatus,
    Call::FinishRun,
    Call::StartGuarded,
    Call::MessageGuarded,
    Call::FinishGuarded,
];

/// One thread of one process. Nobody else has its name, which is the performer of its tasks and the name of its system
/// task.
pub(super) struct Writer<'a> {
    store: &'a TaskStore,
    who: String,
    made: u64,
    /// What the calls of this round go on with.
    plain: Option<TaskId>,
    keyed: Option<TaskId>,
    ended: Option<TaskId>,
    run: Option<StartedRun>,
    guarded: Option<RunningTask>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(store: &'a TaskStore, who: String) -> Self {
        Self { store, who, made: 0, plain: None, keyed: None, ended: None, run: None, guarded: None }
    }

    /// Makes the next call.
    pub(super) fn call(&mut self) -> Result<()> {
        let (circle, call) = place(self.made);
        self.made += 1;
        let title = |letter| title(&self.who, circle, letter);
        let new = |letter| NewTask::new(title(letter)).performed_by(self.who.clone());
        let store = self.store;
        let (plain, keyed) = (|| self.plain.unwrap(), || self.keyed.unwrap());
        match call {
            Call::Start => self.plain = Some(store.start_detached(new('a').configuration(configuration_id(1)))?),
            Call::Message(text) => store.message(plain(), Level::Warn, text)?,
            Call::Finish => store.finish(plain())?,
            Call::Dismiss => store.dismiss(plain(), "ann")?,
            Call::Restore => store.restore(plain())?,
            Call::StartKeyed => self.keyed = Some(store.start_detached(new('b').key(title('b')))?),
            Call::MessageOnce => store.message_once(keyed(), "k", Level::Info, "once")?,
            Call::Fail => store.fail(keyed(), "why")?,
            Call::DismissFailed => store.dismiss(keyed(), "ben")?,
            Call::Batch => {
                let ended = store.batch(|batch| {
                    let ended = batch.start_detached(new('c'))?;
                    ["three", "four"].iter().try_for_each(|text| batch.message(ended, Level::Error, *text))?;
                    batch.finish(ended)?;
                    batch.start_detached(new('d'))?;
                    Ok::<_, Error>(ended)
                });
                self.ended = Some(ended?);
            }
            Call::Delete => store.delete(self.ended.unwrap())?,
            Call::StartRun => {
                let options = RunOptions::new().never_expires().key(circle.to_string());
                self.run = Some(store.batch(|batch| batch.start_run(self.who.as_str(), None, options))?);
            }
            Call::Log => self.in_batch(|batch, run| batch.log(run, LogEvent::new(LogLevel::Info, "logged")))?,
            Call::SetStatus => {
                self.in_batch(|batch, run| batch.set_status(run, SystemTaskStatus::Warning, ["five", "six"]))?;
            }
            Call::FinishRun => self.in_batch(|batch, run| batch.finish_run(run))?,
            Call::StartGuarded => self.guarded = Some(store.start(new('e'))?),
            Call::MessageGuarded => self.guarded.as_ref().unwrap().info("guarded")?,
            Call::FinishGuarded => self.guarded.take().unwrap().finish().map_err(|not_ended| not_ended.error)?,
        }
        Ok(())
    }

    fn in_batch(&self, call: impl FnOnce(&taskstore::Batch<'_>, &StartedRun) -> Result<()>) -> Result<()> {
        self.store.batch(|batch| call(batch, self.run.as_ref().unwrap()))
    }
}

/// In which round a call is made, and what it is.
fn place(number: u64) -> (u64, Call) {
    let length = CIRCLE.len() as u64;
    (number / length, CIRCLE[(number % length) as usize])
}

fn title(who: &str, circle: u64, letter: char) -> String {
    format!("{who}.{circle}.{letter}")
}

/// What a writer has left after so many calls.
pub(super) fn expected(who: &str, calls: u64) -> Left {
    let mut left = Left::default();
    for (circle, call) in (0..calls).map(place) {
        let titled = |letter| title(who, circle, letter);
        match call {
            Call::Start => left.tasks.push(LeftTask::new(titled('a'))),
            Call::Message(text) => left.task(&titled('a')).messages.push(text.to_owned()),
            Call::Finish => left.task(&titled('a')).outcome = Some(Outcome::Finished),
            Call::Dismiss => left.task(&titled('a')).dismissed_by = Some("ann".to_owned()),
            Call::Restore => left.task(&titled('a')).dismissed_by = None,
            Call::StartKeyed if left.has(&titled('b')) => {}
            Call::StartKeyed => left.tasks.push(LeftTask::new(titled('b'))),
            Call::MessageOnce => left.task(&titled('b')).messages = vec!["once".to_owned()],
            Call::Fail => {
                let failed = left.task(&titled('b'));
                failed.outcome = Some(Outcome::Failed);
                failed.messages.push("why".to_owned());
            }
            Call::DismissFailed => left.task(&titled('b')).dismissed_by = Some("ben".to_owned()),
            Call::Batch => {
                let messages = ["three", "four"].map(str::to_owned).to_vec();
                let outcome = Some(Outcome::Finished);
                left.tasks.push(LeftTask { outcome, messages, ..LeftTask::new(titled('c')) });
                left.tasks.push(LeftTask::new(titled('d')));
            }
            Call::Delete => left.tasks.retain(|task| task.title != titled('c')),
            Call::StartRun => left.runs.push(LeftRun::default()),
            Call::Log => left.last_run().events.push("logged".to_owned()),
            Call::SetStatus => {
                let run = left.last_run();
                run.status = Some(SystemTaskStatus::Warning);
                run.events.extend(["five", "six"].map(str::to_owned));
            }
            Call::FinishRun => left.last_run().finished = true,
            Call::StartGuarded => left.tasks.push(LeftTask::new(titled('e'))),
            Call::MessageGuarded => left.task(&titled('e')).messages.push("guarded".to_owned()),
            Call::FinishGuarded => left.task(&titled('e')).outcome = Some(Outcome::Finished),
        }
    }
    left
}

/// The same, of a writer whose process was killed, once somebody has looked for what it left.
pub(super) fn expected_of_killed(who: &str, calls: u64, process_id: u32) -> Left {
    let mut left = expected(who, calls);
    let guarded = left.tasks.iter_mut().filter(|task| task.title.ends_with('e') && task.outcome.is_none());
    guarded.for_each(|task| {
        task.outcome = Some(Outcome::Interrupted);
        task.messages.push(format!("interrupted: process {process_id} ended without finishing it"));
    });
    left
}

#[test]
fn what_is_expected_is_what_a_writer_leaves_that_nobody_kills() {
    let store = crate::support::temporary();
    store.configurations().add("prod").unwrap();
    let mut writer = Writer::new(&store, "0.0".to_owned());
    for calls in 0..=CIRCLE.len() as u64 * 2 {
        let left = super::left::read(&store, 0, &["0.0".to_owned()]).remove("0.0").unwrap();
        assert_eq!(left, expected("0.0", calls), "after {calls} calls");
        writer.call().unwrap();
    }
}
