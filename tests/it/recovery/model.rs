//! Any sequence of starts, ends, closings and deaths against a plain model of who answers for what.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use taskstore::{NewTask, Outcome, RunningTask, TaskStore};
use tempfile::TempDir;

use super::{end_of, owner_files, owner_rows};
use crate::support::files::beside;
use crate::support::{open, rounds, task_id};

#[derive(Clone, Debug)]
enum Step {
    /// With one of two stores.
    Start(usize),
    StartDetached(usize),
    /// The guard of the n-th task that has one, counted around.
    Finish(usize),
    Drop(usize),
    Detach(usize),
    /// By its id.
    FailById(usize),
    /// One of the two, which is opened again.
    Close(usize),
    Recover(usize),
    /// Of the process with both stores.
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2usize).prop_map(Step::Start),
        2 => (0..2usize).prop_map(Step::StartDetached),
        2 => (0..9usize).prop_map(Step::Finish),
        1 => (0..9usize).prop_map(Step::Drop),
        2 => (0..9usize).prop_map(Step::Detach),
        1 => (0..9usize).prop_map(Step::FailById),
        1 => (0..2usize).prop_map(Step::Close),
        1 => (0..2usize).prop_map(Step::Recover),
        1 => Just(Step::Die),
    ]
}

/// What a task is in the model.
#[derive(Debug)]
struct Known {
    outcome: Option<Outcome>,
    owner: Option<usize>,
    guard: Option<RunningTask>,
}

struct World {
    directories: Vec<TempDir>,
    stores: [TaskStore; 2],
    /// Which of them has owned something since it was opened.
    have_owned: [bool; 2],
    tasks: Vec<Known>,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let stores = stores(directory.path());
        Self { directories: vec![directory], stores, have_owned: [false; 2], tasks: Vec::new() }
    }

    fn guarded(&mut self, number: usize) -> Option<(&mut Known, RunningTask)> {
        let mut guarded: Vec<_> = self.tasks.iter_mut().filter(|task| task.guard.is_some()).collect();
        let count = guarded.len();
        if count == 0 {
            return None;
        }
        let task = guarded.swap_remove(number % count);
        let guard = task.guard.take().unwrap();
        Some((task, guard))
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Start(store) => {
                let guard = self.stores[store].start(NewTask::new("t")).unwrap();
                assert_eq!(guard.id(), task_id(self.tasks.len() as i64 + 1));
                self.have_owned[store] = true;
                self.tasks.push(Known { outcome: None, owner: Some(store), guard: Some(guard) });
            }
            Step::StartDetached(store) => {
                self.stores[store].start_detached(NewTask::new("t")).unwrap();
                self.tasks.push(Known { outcome: None, owner: None, guard: None });
            }
            Step::Finish(number) => {
                if let Some((task, guard)) = self.guarded(number) {
                    let expected = task.outcome.is_none();
                    assert_eq!(guard.finish().is_ok(), expected);
                    task.end(Outcome::Finished);
                }
            }
            Step::Drop(number) => {
                if let Some((task, guard)) = self.guarded(number) {
                    drop(guard);
                    task.end(Outcome::Interrupted);
                }
            }
            Step::Detach(number) => {
                if let Some((task, guard)) = self.guarded(number) {
                    // A store that was closed lets nothing go: what had not ended it has interrupted.
                    if guard.detach().is_ok() {
                        task.owner = None;
                    } else {
                        assert!(task.outcome.is_some());
                    }
                }
            }
            Step::FailById(number) => {
                let count = self.tasks.len();
                if count > 0 {
                    let number = number % count;
                    let failed = self.stores[0].fail(task_id(number as i64 + 1), "failed");
                    assert_eq!(failed.is_ok(), self.tasks[number].outcome.is_none());
                    self.tasks[number].end(Outcome::Failed);
                }
            }
            Step::Close(store) => {
                self.stores[store].close().unwrap();
                self.stores[store] = open(&self.path());
                self.have_owned[store] = false;
                self.tasks
                    .iter_mut()
                    .filter(|task| task.owner == Some(store))
                    .for_each(|task| task.end(Outcome::Interrupted));
            }
            Step::Recover(store) => assert_eq!(self.stores[store].recover().unwrap(), Default::default()),
            Step::Die => self.die(),
        }
    }

    /// What a process leaves when it dies, as it is found elsewhere: without its lock files.
    #[allow(clippy::disallowed_methods)] // What loses its locks is not used any more.
    fn die(&mut self) {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (self.path(), directory.path().join("tasks.db"));
        for end in ["", "-wal"] {
            fs::copy(beside(&from, end), beside(&to, end)).unwrap();
        }
        for task in &mut self.tasks {
            if task.owner.is_some() {
                task.end(Outcome::Interrupted);
            }
            drop(task.guard.take());
        }
        self.stores = stores(directory.path());
        self.have_owned = [false; 2];
        self.directories.push(directory);
    }

    fn path(&self) -> std::path::PathBuf {
        self.directories.last().unwrap().path().join("tasks.db")
    }

    fn check(&self) {
        for (task, id) in self.tasks.iter().zip(1..) {
            let (outcome, said) = end_of(&self.stores[1], task_id(id));
            assert_eq!(outcome, task.outcome, "task {id}");
            let says = usize::from(matches!(outcome, Some(Outcome::Interrupted | Outcome::Failed)));
            assert_eq!(said.len(), says, "task {id}: {said:?}");
        }
        let owners = self.have_owned.iter().filter(|owned| **owned).count();
        assert_eq!((owner_files(&self.path()).len(), owner_rows(&self.path())), (owners, owners as i64));
    }
}

impl Known {
    /// Unless it has ended before.
    fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
        self.owner = None;
    }
}

fn stores(directory: &Path) -> [TaskStore; 2] {
    let path = directory.join("tasks.db");
    [open(&path), open(&path)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(rounds(24) as u32))]

    #[test]
    fn any_sequence_of_starts_ends_closings_and_deaths_leaves_what_the_model_says(
        steps in prop::collection::vec(step(), 1..40)
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
            world.check();
        }
        prop_assert_eq!(world.stores[0].check().unwrap(), []);
        let path = world.path();
        let World { stores, tasks, directories, .. } = world;
        drop((stores, tasks));
        prop_assert_eq!((owner_files(&path), owner_rows(&path)), (vec![], 0));
        drop(directories);
    }
}
