//! The store against a model of it: any sequence of verbs leaves both the same, and is answered the same.

mod plain;
mod run_steps;
mod runs;
mod steps;

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use taskstore::{Dismissed, NewTask, Outcome, Outcomes, RunOptions, TaskStore};
use tempfile::TempDir;
use uuid::Uuid;

use crate::support::files::{beside, bytes};
use crate::support::{ManualClock, Nanoseconds as _, configuration_id, everything, open, options};
use plain::{Answer, Fault, Plain, answer_of};
use run_steps::{NAMES, RunVerb, Started};
use runs::{cleaned, shown_by};
use steps::{Step, Verb, steps, target};

/// The store under test, in a file that can be closed and opened again.
struct Real {
    directory: TempDir,
    clock: ManualClock,
    store: TaskStore,
    started: Started,
    /// Of the system tasks that there were, by the model's numbers.
    uuids: BTreeMap<u64, Uuid>,
}

impl Real {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = ManualClock::at_ns(0);
        let store = options().clock(clock.clone()).open(directory.path().join("tasks.db")).unwrap();
        Self { directory, clock, store, started: Started::default(), uuids: BTreeMap::new() }
    }

    /// As another process would open the file.
    fn another_store(&self) -> TaskStore {
        open(&self.directory.path().join("tasks.db"))
    }

    fn reopen(&mut self) {
        self.store.close().unwrap();
        self.store = options().clock(self.clock.clone()).open(self.directory.path().join("tasks.db")).unwrap();
    }

    /// What a kill leaves is what is in the files while the store is open: another store goes on with a copy of these.
    fn crash(&mut self) {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (self.directory.path().join("tasks.db"), directory.path().join("tasks.db"));
        for end in ["", "-wal"] {
            if let Some(bytes) = bytes(&beside(&old, end)) {
                fs::write(beside(&new, end), bytes).unwrap();
            }
        }
        self.store = options().clock(self.clock.clone()).open(new).unwrap();
        self.directory = directory;
    }

    fn compare_runs(&mut self, plain: &Plain) {
        let (shown, uuids) = shown_by(&self.store);
        assert_eq!(shown, plain.runs.shown());
        for (of, born) in plain.runs.born() {
            assert_eq!(*self.uuids.entry(born).or_insert(uuids[of]), uuids[of], "{of:?}");
        }
    }
}

/// Takes one step in both, and holds their answers against each other.
fn take(step: &Step, real: &mut Real, plain: &mut Plain) {
    match step {
        Step::Verb(verb) => {
            let verb = target(verb, plain);
            let expected = plain.call(&verb);
            assert_eq!(answer_of(verb.call(&real.store, &real.started)), expected, "{verb:?}");
        }
        Step::Abandon => {
            let task = real.store.start(NewTask::new("abandoned")).unwrap();
            let expected = plain.call(&Verb::Start { title: "abandoned".to_owned(), configuration: None, key: None });
            assert_eq!(Answer::Id(task.id().get()), expected);
            drop(task);
            plain.interrupt_newest();
        }
        Step::AbandonRun => {
            let options = RunOptions::new().never_expires();
            let run = real.store.system_tasks().start_with(NAMES[0], None, options).unwrap();
            real.started.insert(run.started());
            assert_eq!(Answer::Id(run.id().get()), plain.call(&Verb::Run(RunVerb::first())));
            drop(run);
            plain.interrupt_newest_run();
        }
        Step::Clean => assert_eq!(cleaned(real.store.clean_expired().unwrap()), plain.clean()),
        Step::Batch(verbs, commits) => batch(verbs, *commits, real, plain),
        Step::Clock(ns) => {
            plain.advance_ns(*ns);
            real.clock.advance_ns(*ns);
        }
        Step::Reopen => {
            real.reopen();
            plain.close();
        }
        Step::Crash => {
            real.crash();
            plain.crash();
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
            assert_eq!(answer_of(verb.call_in(batch, &real.started)), expected, "{verb:?} in a batch");
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

/// Takes the steps in both, and compares all of the store now and then; each answer is compared anyway.
fn run(steps: &[Step], fault: Fault) -> Result<(), TestCaseError> {
    let (mut real, mut plain) = (Real::new(), Plain::with(fault));
    for (number, step) in steps.iter().enumerate() {
        take(step, &mut real, &mut plain);
        if number.is_multiple_of(16) || matches!(step, Step::Crash) {
            prop_assert_eq!(plain.tasks_of(&everything(&real.store)), plain.tasks(), "after step {}", number);
            compare_counts(&real.store, &plain);
            real.compare_runs(&plain);
            let other = real.another_store();
            prop_assert_eq!(plain.tasks_of(&everything(&other)), plain.tasks_in_file(), "after step {}", number);
        }
    }
    prop_assert_eq!(real.store.check().unwrap(), []);
    for _ in 0..2 {
        let found = everything(&real.store);
        prop_assert_eq!(plain.tasks_of(&found), plain.tasks());
        prop_assert_eq!(Plain::configurations_of(&found), plain.configurations());
        compare_counts(&real.store, &plain);
        real.compare_runs(&plain);
        real.reopen();
        plain.close();
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_sequence_of_verbs_leaves_what_the_model_says(steps in steps()) {
        run(&steps, Fault::None)?;
    }
}

#[test]
fn a_model_with_a_wrong_rule_is_found() {
    let faults =
        [Fault::KeepsProgressInCrashes, Fault::LosesMessagesInCrashes, Fault::ShowsEveryRun, Fault::RestoresTheTime];
    for fault in faults {
        let config = Config { cases: 1_000, max_shrink_iters: 0, failure_persistence: None, ..Config::default() };
        let found = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
            .run(&steps(), |steps| run(&steps, fault));
        assert!(found.is_err(), "{fault:?} was not found");
    }
}
