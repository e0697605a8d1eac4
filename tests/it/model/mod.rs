//! The store against a model of it: any sequence of verbs leaves both the same, and is answered the same.

mod plain;
mod steps;

use proptest::prelude::*;
use taskstore::{Dismissed, NewTask, Outcome, Outcomes, TaskStore};
use tempfile::TempDir;

use crate::support::{ManualClock, configuration_id, everything, open, options};
use plain::{Answer, Plain, answer_of};
use steps::{Step, Verb, steps, target};

/// The store under test, in a file that can be closed and opened again.
struct Real {
    directory: TempDir,
    clock: ManualClock,
    store: TaskStore,
}

impl Real {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::at_ns(0);
        let store = options().clock(clock.clone()).open(directory.path().join("tasks.db")).unwrap();
        Self { directory, clock, store }
    }

    /// As another process would open the file.
    fn another_store(&self) -> TaskStore {
        open(&self.directory.path().join("tasks.db"))
    }

    fn reopen(&mut self) {
        self.store.close().unwrap();
        self.store = options().clock(self.clock.clone()).open(self.directory.path().join("tasks.db")).unwrap();
    }
}

/// Takes one step in both, and holds their answers against each other.
fn take(step: &Step, real: &mut Real, plain: &mut Plain) {
    match step {
        Step::Verb(verb) => {
            let verb = target(verb, plain);
            let expected = plain.call(&verb);
            assert_eq!(answer_of(verb.call(&real.store)), expected, "{verb:?}");
        }
        Step::Abandon => {
            let task = real.store.start(NewTask::new("abandoned")).unwrap();
            let expected = plain.call(&Verb::Start { title: "abandoned".to_owned(), configuration: None, key: None });
            assert_eq!(Answer::Id(task.id().get()), expected);
            drop(task);
            plain.interrupt_newest();
        }
        Step::Batch(verbs, commits) => batch(verbs, *commits, real, plain),
        Step::Clock(ns) => {
            plain.advance_ns(*ns);
            real.clock.advance_ns(*ns);
        }
        Step::Reopen => {
            real.reopen();
            plain.close();
        }
    }
}

/// A batch works on a copy of the model, which is kept if it commits.
fn batch(verbs: &[Verb], commits: bool, real: &Real, plain: &mut Plain) {
    let mut copy = plain.begin_batch();
    let done = real.store.batch(|batch| {
        for verb in verbs {
            let verb = target(verb, &copy);
            let expected = copy.call(&verb);
            assert_eq!(answer_of(verb.call_in(batch)), expected, "{verb:?} in a batch");
        }
        if commits { Ok(()) } else { Err(taskstore::Error::Closed) }
    });
    assert_eq!(done.is_ok(), commits);
    plain.end_batch(copy, commits);
}

/// The counts are those of a full count, for all tasks and for each configuration, also one that was never there.
fn compare_counts(store: &TaskStore, plain: &Plain) {
    let outcomes = [
        (None, Outcomes::IN_PROGRESS),
        (Some(Outcome::Finished), Outcomes::FINISHED),
        (Some(Outcome::Failed), Outcomes::FAILED),
        (Some(Outcome::Interrupted), Outcomes::INTERRUPTED),
    ];
    for configuration in std::iter::once(None).chain((1..=plain.newest_configuration() + 1).map(Some)) {
        let counts = store.counts(configuration.map(configuration_id)).unwrap();
        for (outcome, outcomes) in outcomes {
            for (is_dismissed, dismissed) in [(false, Dismissed::Hidden), (true, Dismissed::Only)] {
                let counted = plain.count(configuration, outcome, is_dismissed);
                assert_eq!(counts.of(outcomes, dismissed), counted, "{configuration:?} {outcome:?} {dismissed:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_sequence_of_verbs_leaves_what_the_model_says(steps in steps()) {
        let (mut real, mut plain) = (Real::new(), Plain::default());
        for (number, step) in steps.iter().enumerate() {
            take(step, &mut real, &mut plain);
            // All of the store is read now and then; each answer was compared already.
            if number % 8 == 0 {
                prop_assert_eq!(plain.tasks_of(&everything(&real.store)), plain.tasks(), "after step {}", number);
                compare_counts(&real.store, &plain);
                let other = real.another_store();
                prop_assert_eq!(plain.tasks_of(&everything(&other)), plain.tasks_in_file(), "after step {}", number);
            }
        }
        for _ in 0..2 {
            let found = everything(&real.store);
            prop_assert_eq!(plain.tasks_of(&found), plain.tasks());
            prop_assert_eq!(Plain::configurations_of(&found), plain.configurations());
            compare_counts(&real.store, &plain);
            prop_assert_eq!(real.store.check().unwrap(), []);
            real.reopen();
            plain.close();
        }
    }
}
