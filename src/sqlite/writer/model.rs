//! The queue in every order of its threads that shuttle comes to: each caller is answered once, none waits for ever, and
//! none is told "done" before the commit. The controls break one of these, and must be caught.

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::*;

const CALLERS: usize = 5;
const SCHEDULES: usize = 20_000;

/// What a leader does wrong.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// It answers before it commits, and the commit may fail.
    AnswersBeforeCommit,
    /// It forgets those that it has taken along.
    ForgetsToWake,
    /// It goes away with the turn.
    KeepsTheTurn,
}

/// A caller's call, and its answer: `None` is "done".
#[derive(Default)]
struct Counted(Mutex<Option<Error>>);

impl Call for Counted {
    fn run(&self, _: &Write<'_>) -> Result<()> {
        Ok(())
    }

    fn wait(&self) -> Wait {
        Wait::new(Duration::ZERO)
    }

    fn refuse(&self, error: Error) {
        *lock(&self.0) = Some(error);
    }
}

/// A store whose connection counts the operations that were committed.
struct Store {
    writer: Writer<usize>,
    committed: Mutex<usize>,
    acknowledged: Mutex<usize>,
    fault: Fault,
}

impl Store {
    /// One caller's operation; a patience of nothing makes it withdraw, if no leader was quicker.
    fn call(&self, patience: Duration) {
        let call = Arc::new(Counted::default());
        match self.writer.wait(Some(call.clone()), Wait::new(patience)) {
            Ok(Waited::Turn(turn)) => self.lead(turn),
            Ok(Waited::Answered) => match lock(&call.0).take() {
                None => self.acknowledge(),
                Some(Error::OutcomeUnknown { .. }) => {}
                Some(error) => panic!("{error}"),
            },
            Err(Error::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// A batch, which has a turn of its own.
    fn batch(&self, patience: Duration) {
        match self.writer.wait(None, Wait::new(patience)) {
            Ok(Waited::Turn(Turn::Connection(connection))) => self.writer.give_back(Some(connection)),
            Ok(Waited::Turn(Turn::Reopen)) => self.writer.give_back(None),
            Ok(Waited::Answered) => panic!("a leader has taken a batch along"),
            Err(Error::Busy { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn lead(&self, turn: Turn<usize>) {
        let mut connection = match turn {
            Turn::Connection(connection) => connection,
            Turn::Reopen => *lock(&self.committed),
        };
        if thread_rng().gen_bool(0.1) {
            // It cannot even begin, and takes nobody along.
            return self.writer.give_back(Some(connection));
        }
        let mut followers = self.writer.followers(Brought::new());
        let mut with_me = 1;
        followers.run(|_| {
            with_me += 1;
            Ok(())
        });
        if self.fault == Fault::AnswersBeforeCommit {
            followers.answer(None);
            followers = Followers { group: None, followers: Vec::new() };
            thread::yield_now();
        }
        let fails = thread_rng().gen_bool(0.2);
        if fails {
            followers.answer(Some(&leader_panicked()));
            return self.writer.give_back(None);
        }
        connection += with_me;
        *lock(&self.committed) = connection;
        match self.fault {
            Fault::ForgetsToWake => std::mem::forget(followers),
            // A leader that panics here leaves this to the drop.
            _ if thread_rng().gen_bool(0.1) => drop(followers),
            _ => followers.answer(None),
        }
        self.acknowledge();
        if self.fault != Fault::KeepsTheTurn {
            self.writer.give_back(Some(connection));
        }
    }

    fn acknowledge(&self) {
        let mut acknowledged = lock(&self.acknowledged);
        *acknowledged += 1;
        assert!(*acknowledged <= *lock(&self.committed), "acknowledged before the commit");
    }
}

fn callers(fault: Fault) {
    let store =
        Arc::new(Store { writer: Writer::new(Some(0)), committed: Mutex::new(0), acknowledged: Mutex::new(0), fault });
    let threads: Vec<_> = (0..CALLERS)
        .map(|number| {
            let store = Arc::clone(&store);
            let patience = if number == 0 { Duration::ZERO } else { Duration::from_secs(3_600) };
            thread::spawn(move || {
                for _ in 0..2 {
                    match thread_rng().gen_bool(0.2) {
                        true => store.batch(patience),
                        false => store.call(patience),
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    // Also where nobody was left to wait for it.
    let given_back = matches!(lock(&store.writer.state).place, Place::Here(_) | Place::Lost);
    assert!(given_back, "a deadlock for the next caller");
    assert_eq!(store.writer.waiting(), 0);
}

#[test]
fn every_caller_is_answered_once_and_only_after_the_commit() {
    shuttle::check_random(|| callers(Fault::None), SCHEDULES);
}

#[test]
#[should_panic(expected = "acknowledged before the commit")]
fn an_answer_before_the_commit_is_caught() {
    shuttle::check_random(|| callers(Fault::AnswersBeforeCommit), SCHEDULES);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_lost_wake_up_is_caught() {
    shuttle::check_random(|| callers(Fault::ForgetsToWake), SCHEDULES);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_turn_that_is_kept_is_caught() {
    shuttle::check_random(|| callers(Fault::KeepsTheTurn), SCHEDULES);
}
