//! Faults by chance among the verbs of several threads, held against a plain model.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use taskstore::testing::{Fault, Faults};
use taskstore::{Error, Level, NewTask, Outcome, Result, RunningTask, TaskId, TaskStore};

use crate::support::random::Random;
use crate::support::{everything, open, options, rounds};

const THREADS: u64 = 4;
const VERBS: usize = 60;

/// What a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    messages: u64,
    outcome: Option<Outcome>,
    dismissed: bool,
    owned: bool,
}

impl State {
    /// What the next opening makes of it.
    fn recovered(self) -> Self {
        match self {
            Self { owned: true, outcome: None, messages, .. } => {
                Self { messages: messages + 1, outcome: Some(Outcome::Interrupted), ..self }
            }
            other => other,
        }
    }
}

/// What each task may be, by its title: one thing, or two if it is not known. `None` for a task that is not there.
#[derive(Default)]
struct Model(BTreeMap<String, Vec<Option<State>>>);

/// How an answer is taken.
type Belief = fn(&Result<()>) -> Answer;

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Done,
    Refused,
    Unknown,
    /// What no fault answers: the task is not what the model takes it for.
    Wrong,
}

fn truth(answer: &Result<()>) -> Answer {
    match answer {
        Ok(()) => Answer::Done,
        Err(Error::OutcomeUnknown { .. }) => Answer::Unknown,
        Err(Error::Busy { .. } | Error::DiskFull { .. } | Error::Closed) => Answer::Refused,
        // Not tried, since the disk has just failed.
        Err(Error::Engine { .. }) => Answer::Refused,
        Err(_) => Answer::Wrong,
    }
}

/// One thread's tasks.
struct Worker<'a> {
    store: &'a TaskStore,
    name: String,
    random: Random,
    model: Model,
    belief: Belief,
    /// Kept to the crash: what they write when they are dropped is not to be there.
    guards: Vec<RunningTask>,
    known: Vec<(TaskId, String)>,
    done: usize,
    problems: Vec<String>,
}

impl Worker<'_> {
    fn verb(&mut self, number: usize) {
        if self.known.is_empty() || self.random.one_in(3) {
            return self.start(format!("{} {number}", self.name));
        }
        let chosen = self.random.below(self.known.len().try_into().unwrap());
        let (id, title) = self.known[usize::try_from(chosen).unwrap()].clone();
        let Some(&[Some(state)]) = self.model.0.get(&title).map(Vec::as_slice) else { return };
        let verb = self.random.below(4);
        let (answer, after) = match (state.outcome, state.dismissed) {
            (None, _) if verb < 2 => {
                let answer = self.store.message(id, Level::Info, "said");
                (answer, State { messages: state.messages + 1, ..state })
            }
            (None, _) if verb == 2 => (self.store.finish(id), State { outcome: Some(Outcome::Finished), ..state }),
            (None, _) => {
                let both = self.store.batch(|batch| {
                    batch.message(id, Level::Warn, "going to fail")?;
                    batch.fail(id, "because")
                });
                (both, State { messages: state.messages + 2, outcome: Some(Outcome::Failed), ..state })
            }
            (Some(_), false) => (self.store.dismiss(id, "ann"), State { dismissed: true, ..state }),
            (Some(_), true) => (self.store.restore(id), State { dismissed: false, ..state }),
        };
        self.note(title, Some(state), Some(after), &answer);
    }

    fn start(&mut self, title: String) {
        let owned = self.random.one_in(2);
        let started = if owned {
            self.store.start(NewTask::new(title.clone())).map(|guard| {
                let id = guard.id();
                self.guards.push(guard);
                id
            })
        } else {
            self.store.start_detached(NewTask::new(title.clone()))
        };
        let state = State { messages: 0, outcome: None, dismissed: false, owned };
        if let Ok(id) = &started {
            self.known.push((*id, title.clone()));
        }
        self.note(title, None, Some(state), &started.map(drop));
    }

    fn note(&mut self, title: String, before: Option<State>, after: Option<State>, answer: &Result<()>) {
        self.done += usize::from(answer.is_ok());
        let may_be = match (self.belief)(answer) {
            Answer::Done => vec![after],
            Answer::Refused => vec![before],
            Answer::Unknown => vec![before, after],
            Answer::Wrong => {
                self.problems.push(format!("{title}: {answer:?}"));
                return drop(self.model.0.remove(&title));
            }
        };
        self.model.0.insert(title, may_be);
    }
}

/// Faults that come now and then, each kind, and a crash at the end if there was none before.
fn script(random: &mut Random, faults: &Faults) {
    for _ in 0..12 {
        let written = random.one_in(2);
        let fault = match random.below(8) {
            0..=2 => Fault::Busy,
            3..=4 => Fault::DiskFull,
            5..=6 => Fault::OutcomeUnknown { written },
            _ => Fault::Crash { written },
        };
        faults.after(1 + random.below(100), fault);
    }
}

/// What is wrong behind one life of a store, how much was acknowledged in it, and how many faults there were.
fn life(path: &Path, round: usize, random: &mut Random, belief: Belief) -> (Vec<String>, usize, u64) {
    let faults = Faults::new();
    let store = options().faults(&faults).open(path).unwrap();
    script(random, &faults);
    let workers: Vec<_> = (0..THREADS)
        .map(|number| {
            let mut random = random.clone();
            (0..=number).for_each(|_| _ = random.next());
            let name = format!("{round} {number}");
            let (model, guards, known, problems) = (Model::default(), Vec::new(), Vec::new(), Vec::new());
            Worker { store: &store, name, random, model, belief, guards, known, done: 0, problems }
        })
        .collect();
    random.next();
    let workers: Vec<_> = thread::scope(|scope| {
        let run = |mut worker: Worker<'_>| {
            (0..VERBS).for_each(|number| worker.verb(number));
            let Worker { model, guards, done, problems, .. } = worker;
            (model, guards, done, problems)
        };
        let threads: Vec<_> = workers.into_iter().map(|worker| scope.spawn(move || run(worker))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    faults.end();
    faults.next(Fault::Crash { written: false });
    // Unless it has crashed already. A disk that is left alone is no commit, so it is tried until it is one.
    while !matches!(store.start_detached(NewTask::new("the end")), Err(Error::OutcomeUnknown { .. } | Error::Closed)) {}

    let (mut problems, mut done) = (Vec::new(), 0);
    // The guards go before the file is looked at: they would write.
    let mut models = Vec::new();
    for (model, guards, worker_done, worker_problems) in workers {
        drop(guards);
        models.push(model);
        done += worker_done;
        problems.extend(worker_problems);
    }
    drop(store);
    let store = open(path);
    assert_eq!(store.check().unwrap(), []);
    let found: BTreeMap<_, _> =
        everything(&store).tasks.into_iter().map(|(task, messages)| (task.title.clone(), (task, messages))).collect();
    for model in models {
        for (title, may_be) in model.0 {
            let found = found.get(&title).map(|(task, messages)| {
                let messages = u64::try_from(messages.len()).unwrap();
                (messages, task.outcome, task.dismissed.is_some())
            });
            let may_be: Vec<_> = may_be
                .into_iter()
                .map(|state| state.map(State::recovered).map(|state| (state.messages, state.outcome, state.dismissed)))
                .collect();
            if !may_be.contains(&found) {
                problems.push(format!("{title} is {found:?}, and may be {may_be:?}"));
            }
        }
    }
    store.close().unwrap();
    (problems, done, faults.injected())
}

fn lives(quick: usize, belief: Belief) -> (Vec<String>, usize, u64) {
    let (directory, mut random) = (tempfile::tempdir().unwrap(), Random::new());
    let path = directory.path().join("tasks.db");
    let mut all = (Vec::new(), 0, 0);
    for round in 0..rounds(quick) {
        let (problems, done, injected) = life(&path, round, &mut random, belief);
        all.0.extend(problems);
        all = (all.0, all.1 + done, all.2 + injected);
    }
    all
}

#[test]
fn whatever_fails_what_is_acknowledged_is_there_and_what_is_refused_is_not() {
    let (problems, done, injected) = lives(20, truth);
    assert_eq!(problems, [""; 0]);
    assert!(done > 20 && injected > 20, "{done} acknowledged, {injected} faults");
}

/// The controls: stores that would acknowledge what a fault has undone, or refuse what it has written.
#[test]
fn an_answer_that_is_not_true_is_found() {
    let acknowledges: Belief = |answer| match answer {
        Err(Error::DiskFull { .. } | Error::Busy { .. }) => Answer::Done,
        other => truth(other),
    };
    let refuses: Belief = |answer| match truth(answer) {
        Answer::Unknown => Answer::Refused,
        other => other,
    };
    for belief in [acknowledges, refuses] {
        let (problems, ..) = lives(20, belief);
        assert!(!problems.is_empty());
    }
}
