//! What tasks relate to: added, renamed, deleted.

use rusqlite::types::Value;
use taskstore::{ConfigurationId, Dismissed, Error, NewTask, TaskFilter, TaskStore};

use crate::support::files::shell;
use crate::support::{configuration_id, everything, finished, open, start, temporary};

fn names(store: &TaskStore) -> Vec<(i64, String)> {
    let list = store.configurations().list().unwrap();
    list.into_iter().map(|configuration| (configuration.id.get(), configuration.name)).collect()
}

fn start_in(store: &TaskStore, configuration: ConfigurationId) -> taskstore::TaskId {
    store.start_detached(NewTask::new("of a configuration").configuration(configuration)).unwrap()
}

fn refused(answer: taskstore::Result<()>, id: ConfigurationId) {
    let error = answer.unwrap_err();
    assert!(matches!(error, Error::NotFound { what: "configuration", id: named } if named == id.get()), "{error:?}");
    assert_eq!(error.to_string(), format!("configuration {id} does not exist"));
}

#[test]
fn added_ones_are_listed_in_the_order_of_their_ids() {
    let store = temporary();
    assert_eq!(names(&store), []);
    for name in ["prod", "dev", "prod"] {
        store.configurations().add(name).unwrap();
    }
    assert_eq!(names(&store), [(1, "prod".to_owned()), (2, "dev".to_owned()), (3, "prod".to_owned())]);
}

#[test]
fn a_new_name_shows_at_once_on_all_its_tasks() {
    let store = temporary();
    let prod = store.configurations().add("prod").unwrap();
    let dev = store.configurations().add("dev").unwrap();
    let tasks = [start_in(&store, prod), start_in(&store, prod), start_in(&store, dev), start(&store, "of none")];
    let updated = tasks.map(|id| store.task(id).unwrap().updated);
    store.configurations().rename(prod, "production").unwrap();
    let found = tasks.map(|id| store.task(id).unwrap().configuration_name);
    assert_eq!(found, ["production", "production", "dev", ""]);
    // A new name is not a change of the task.
    assert_eq!(tasks.map(|id| store.task(id).unwrap().updated), updated);
    assert_eq!(names(&store), [(1, "production".to_owned()), (2, "dev".to_owned())]);
}

#[test]
fn the_tasks_of_a_deleted_one_stay_and_show_its_last_name_and_no_id() {
    let store = temporary();
    let prod = store.configurations().add("prod").unwrap();
    let task = start_in(&store, prod);
    store.configurations().rename(prod, "production").unwrap();
    store.configurations().delete(prod).unwrap();

    assert_eq!(names(&store), []);
    let filter = TaskFilter::new().dismissed(Dismissed::Included);
    assert_eq!(store.list(&filter.clone().configuration(prod)).unwrap().items, []);
    let listed = store.list(&filter).unwrap().items;
    assert_eq!(listed, [store.task(task).unwrap()]);
    assert_eq!((listed[0].configuration_id, listed[0].configuration_name.as_str()), (None, "production"));

    // The task lives on.
    store.finish(task).unwrap();
    assert_eq!(store.dismiss_all(Some(prod), "ann").unwrap(), 0);
    assert_eq!(store.dismiss_all(None, "ann").unwrap(), 1);
}

#[test]
fn a_task_starts_on_no_deleted_or_unknown_one() {
    let store = temporary();
    let deleted = store.configurations().add("deleted").unwrap();
    store.configurations().delete(deleted).unwrap();
    for id in [deleted, configuration_id(2), configuration_id(i64::MAX)] {
        refused(store.start_detached(NewTask::new("nowhere").configuration(id)).map(drop), id);
        refused(store.start(NewTask::new("nowhere").configuration(id)).map(drop), id);
    }
    assert_eq!(everything(&store).tasks, []);
}

#[test]
fn a_deleted_or_unknown_one_is_neither_renamed_nor_deleted() {
    let store = temporary();
    let deleted = store.configurations().add("deleted").unwrap();
    let task = start_in(&store, deleted);
    store.configurations().delete(deleted).unwrap();
    for id in [deleted, configuration_id(2)] {
        refused(store.configurations().rename(id, "again"), id);
        refused(store.configurations().delete(id), id);
    }
    assert_eq!(store.task(task).unwrap().configuration_name, "deleted");
}

#[test]
fn an_id_is_never_used_twice_also_after_the_newest_was_deleted_and_the_file_reopened() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let mut last = 0;
    for _ in 0..4 {
        let store = open(&path);
        let id = store.configurations().add("short-lived").unwrap();
        assert!(id.get() > last);
        last = id.get();
        store.configurations().delete(id).unwrap();
        let stays = store.configurations().add("stays").unwrap().get();
        assert!(stays > last);
        last = stays;
        store.close().unwrap();
        // Not even if another program takes the rows out.
        shell(&path).execute("DELETE FROM configuration", []).unwrap();
    }
}

#[test]
fn dismissing_all_of_one_leaves_the_others_alone() {
    let store = temporary();
    let prod = store.configurations().add("prod").unwrap();
    let dev = store.configurations().add("dev").unwrap();
    let tasks = [start_in(&store, prod), start_in(&store, dev), finished(&store, "of none"), start_in(&store, prod)];
    store.finish(tasks[0]).unwrap();
    store.finish(tasks[1]).unwrap();
    assert_eq!(store.dismiss_all(Some(prod), "ann").unwrap(), 1);
    let dismissed = tasks.map(|id| store.task(id).unwrap().dismissed_by.is_some());
    assert_eq!(dismissed, [true, false, false, false]);
    assert_eq!(store.dismiss_all(Some(configuration_id(99)), "ann").unwrap(), 0);
}

#[test]
fn deleting_one_writes_one_row_however_many_tasks_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let prod = store.configurations().add("prod").unwrap();
    store.configurations().add("dev").unwrap();
    store
        .batch(|batch| {
            (0..10_000)
                .try_for_each(|_| batch.start_detached(NewTask::new("one of many").configuration(prod)).map(drop))
        })
        .unwrap();

    // Another program writes down which rows change from here on.
    let other = shell(&path);
    other.execute_batch("CREATE TABLE changed (what TEXT, id INTEGER)").unwrap();
    for table in ["task", "configuration"] {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            let row = if change == "DELETE" { "OLD" } else { "NEW" };
            let trigger = format!(
                "CREATE TRIGGER {table}_{change} AFTER {change} ON {table}
                 BEGIN INSERT INTO changed VALUES ('{change} {table}', {row}.id); END"
            );
            other.execute_batch(&trigger).unwrap();
        }
    }
    store.configurations().delete(prod).unwrap();

    let mut changed = other.prepare("SELECT what, id FROM changed").unwrap();
    let changed: Vec<(Value, Value)> =
        changed.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    assert_eq!(changed, [("UPDATE configuration".to_owned().into(), prod.get().into())]);
    assert_eq!(store.list(&TaskFilter::new().configuration(prod)).unwrap().items, []);
    assert_eq!(store.list(&TaskFilter::new().limit(1)).unwrap().items[0].configuration_id, None);
}
