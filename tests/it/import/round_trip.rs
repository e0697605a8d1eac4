//! What is exported and imported is the same to the nanosecond.

use proptest::prelude::*;
use taskstore::{ExportLine, NewTask, Run, RunId, SystemTask, TaskStore};

use super::world::{World, steps};
use super::{exported, imported};
use crate::support::{configuration_id, everything, rounds, start};

/// What a store shows of its system tasks.
fn system_tasks(store: &TaskStore) -> Vec<(SystemTask, Vec<(Run, usize)>)> {
    let filter = taskstore::SystemTaskFilter::new().limit(1_000);
    let page = store.system_tasks().list(&filter).unwrap();
    let history = |task: SystemTask| {
        let runs = store.system_tasks().history(task.uuid, None, 1_000).unwrap().items;
        let events = |id: RunId| store.system_tasks().events(id, 0, 1_000).unwrap().len();
        (task, runs.into_iter().map(|run| (run.clone(), events(run.id))).collect())
    };
    page.items.into_iter().map(history).collect()
}

fn assert_same(one: &TaskStore, other: &TaskStore) {
    assert_eq!(everything(one), everything(other));
    assert_eq!(system_tasks(one), system_tasks(other));
    for configuration in [None, Some(1), Some(2), Some(3)] {
        let configuration = configuration.map(configuration_id);
        assert_eq!(one.counts(configuration).unwrap(), other.counts(configuration).unwrap());
    }
    assert_eq!(other.check().unwrap(), []);
}

/// Whether each line is what serde writes for what it reads.
fn assert_lines_are_as_serde_has_them(lines: &str) {
    for line in lines.lines() {
        let read: ExportLine = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: rounds(48) as u32, ..ProptestConfig::default() })]

    #[test]
    fn any_store_is_imported_as_it_was(steps in steps()) {
        let store = World::of(&steps).store;
        let lines = exported(&store);
        assert_lines_are_as_serde_has_them(&lines);
        let other = imported(&lines);
        assert_same(&store, &other);
        prop_assert_eq!(exported(&other), lines.as_str());
        // What comes next has the same ids in both.
        let next = |store: &TaskStore| {
            let task = store.start_detached(NewTask::new("next")).unwrap();
            let configuration = store.configurations().add("next").unwrap();
            (task, configuration, store.system_tasks().start("next", None).unwrap().detach().unwrap().id())
        };
        prop_assert_eq!(next(&other), next(&store));
    }

    #[test]
    fn any_store_is_imported_beside_another_with_its_ids_raised(mine in steps(), theirs in steps()) {
        let (mine, theirs) = (World::of(&mine).store, World::of(&theirs).store);
        let (before, lines) = (everything(&mine), exported(&theirs));
        // Some keys are in both.
        let report = mine.import(lines.as_bytes()).unwrap();
        prop_assert_eq!(mine.check().unwrap(), []);
        let after = everything(&mine);
        let untouched = &after.tasks[..before.tasks.len()];
        prop_assert!(untouched == before.tasks);
        let by = report.ids_raised_by;
        let come = &after.tasks[before.tasks.len()..];
        let original = everything(&theirs).tasks;
        prop_assert_eq!(come.len() as u64, report.tasks);
        prop_assert_eq!(report.tasks + report.known_tasks, original.len() as u64);
        for (task, messages) in come {
            let id = task.id.get() - by.task;
            let (expected, said) = original.iter().find(|(task, _)| task.id.get() == id).unwrap();
            let mut expected = expected.clone();
            expected.id = task.id;
            expected.configuration_id = expected.configuration_id.map(|id| configuration_id(id.get() + by.configuration));
            prop_assert_eq!(task, &expected);
            prop_assert_eq!(messages, said);
        }
    }
}

#[test]
fn an_empty_store_is_one_of_two_lines_and_gives_an_empty_one() {
    let store = TaskStore::open_in_memory().unwrap();
    let lines = exported(&store);
    assert_eq!(lines.lines().count(), 2);
    let other = TaskStore::open_in_memory().unwrap();
    assert_eq!(other.import(lines.as_bytes()).unwrap(), taskstore::ImportReport::default());
    assert_eq!(exported(&other), lines);
}

#[test]
fn an_id_of_a_task_that_was_deleted_is_not_given_again() {
    let store = TaskStore::open_in_memory().unwrap();
    start(&store, "kept");
    let last = crate::support::finished(&store, "gone");
    store.batch(|batch| batch.delete(last)).unwrap();
    let other = imported(&exported(&store));
    assert_eq!(start(&other, "next").get(), last.get() + 1);

    // Neither is one of the store that it comes into.
    let emptied = TaskStore::open_in_memory().unwrap();
    let gone = crate::support::finished(&emptied, "gone");
    emptied.batch(|batch| batch.delete(gone)).unwrap();
    let report = emptied.import(exported(&store).as_bytes()).unwrap();
    assert_eq!(report.ids_raised_by.task, 1);
    assert_eq!(everything(&emptied).tasks[0].0.id.get(), 2);
}
