//! One name and uid is one system task with one uuid, whoever starts it and however many at once.

use std::collections::BTreeSet;
use std::sync::Barrier;

use taskstore::{SystemTaskFilter, TaskStore};
use uuid::Uuid;

use super::{finished, history, listed, names, start, store_at_noon};
use crate::support::children::{Children, role, say, wait_for_go};
use crate::support::{open, temporary};

const THREADS: usize = 16;
const ROUNDS: usize = 20;

#[test]
fn the_uuid_is_the_same_for_all_runs_and_the_list_has_one_row() {
    let store = temporary();
    let uuids: BTreeSet<_> = (0..5).map(|_| finished(&store, "scan", Some("disk"))).collect();
    assert_eq!(uuids.len(), 1);
    let task = listed(&store).remove(0);
    assert_eq!((Some(&task.uuid), task.uuid.get_version_num()), (uuids.first(), 4));
    let runs = history(&store, task.uuid);
    assert_eq!(runs.len(), 5);
    assert_eq!(task.shown_run.as_ref(), runs.first());
}

#[test]
fn other_names_and_other_uids_are_other_system_tasks() {
    let store = temporary();
    let identities = [
        ("a", None),
        ("a", Some("")),
        ("a", Some("b")),
        ("a", Some("B")),
        ("a", Some(" ")),
        ("A", None),
        ("a:b", None),
    ];
    let uuids: BTreeSet<_> = identities.iter().map(|(name, uid)| finished(&store, name, *uid)).collect();
    assert_eq!(uuids.len(), identities.len());
    for (name, uid) in identities {
        assert!(uuids.contains(&finished(&store, name, uid)), "{name:?} {uid:?}");
    }
    assert_eq!(listed(&store).len(), identities.len());
}

#[test]
fn no_uid_and_an_empty_one_differ_though_their_full_names_do_not() {
    let store = temporary();
    let (none, empty) = (finished(&store, "a", None), finished(&store, "a", Some("")));
    assert_ne!(none, empty);
    let found: Vec<_> = listed(&store).into_iter().map(|task| (task.uuid, task.full_name(), task.uid)).collect();
    assert_eq!(found, [(empty, "a".to_owned(), Some(String::new())), (none, "a".to_owned(), None)]);
    let filter = SystemTaskFilter::new().uid("");
    let found = store.system_tasks().list(&filter).unwrap().items;
    assert_eq!(found.iter().map(|task| task.uuid).collect::<Vec<_>>(), [empty]);
}

#[test]
fn uuids_come_from_the_source_that_the_store_was_opened_with() {
    let (store, _) = store_at_noon();
    let first = finished(&store, "a", None);
    let second = finished(&store, "a", Some("b"));
    store.system_tasks().register("c", "").unwrap();
    let third = finished(&store, "c", None);
    assert_eq!((first, finished(&store, "a", None)), (Uuid::from_u128(1), first));
    assert!(second > first && third > second, "{second} {third}");
    assert_eq!(names(&listed(&store)), ["a:b", "a", "c"]);
}

/// The uuids that all threads were given, each by its own call at the same time.
fn race(start: impl Fn(usize) -> Uuid + Sync) -> BTreeSet<Uuid> {
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..THREADS)
            .map(|racer| {
                let (barrier, start) = (&barrier, &start);
                scope.spawn(move || {
                    barrier.wait();
                    start(racer)
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

fn assert_one_row_of_all(store: &TaskStore, name: &str, uid: Option<&str>, uuids: &BTreeSet<Uuid>) {
    assert_eq!(uuids.len(), 1, "{uuids:?}");
    let mut tasks = listed(store);
    tasks.retain(|task| task.name == name && task.uid.as_deref() == uid);
    assert_eq!(tasks.iter().map(|task| task.uuid).collect::<BTreeSet<_>>(), *uuids);
    assert_eq!(tasks.len(), 1);
    assert_eq!(history(store, tasks[0].uuid).len(), THREADS);
}

#[test]
fn sixteen_threads_that_start_the_same_make_one() {
    let store = temporary();
    for round in 0..ROUNDS {
        let name = format!("scan {round}");
        assert_one_row_of_all(&store, &name, None, &race(|_| finished(&store, &name, None)));
    }
}

#[test]
fn sixteen_stores_on_one_file_that_start_the_same_make_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let stores: Vec<_> = (0..THREADS).map(|_| open(&path)).collect();
    for round in 0..ROUNDS {
        let name = format!("scan {round}");
        let uuids = race(|racer| finished(&stores[racer], &name, Some("")));
        assert_one_row_of_all(&stores[0], &name, Some(""), &uuids);
    }
}

#[test]
fn processes_that_start_the_same_make_one() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        wait_for_go();
        for round in 0..ROUNDS {
            let run = start(&store, &format!("scan {round}"));
            say(&run.uuid().to_string());
            run.finish().unwrap();
        }
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let test = "system_task::identity::processes_that_start_the_same_make_one";
    let said = Children::ready(test, &["a", "b", "c", "d"], &path).go();
    let store = open(&path);
    let tasks = listed(&store);
    assert_eq!(tasks.len(), ROUNDS);
    for round in 0..ROUNDS {
        let uuids: BTreeSet<_> = said.iter().map(|lines| lines[round].as_str()).collect();
        assert_eq!(uuids.len(), 1, "{uuids:?}");
        let task = tasks.iter().find(|task| task.name == format!("scan {round}")).unwrap();
        assert!(uuids.contains(task.uuid.to_string().as_str()));
        assert_eq!(history(&store, task.uuid).len(), 4);
    }
}

#[test]
fn a_system_task_is_found_by_name_and_uid_also_before_its_first_run_has_ended() {
    let store = crate::support::temporary();
    let run = store.system_tasks().start("fetch", Some("")).unwrap();
    let find = |name, uid| store.system_tasks().find(name, uid).unwrap();
    assert_eq!(find("fetch", Some("")), Some(run.uuid()));
    assert_eq!([find("fetch", None), find("Fetch", Some("")), find("", None)], [None; 3]);
    assert!(store.system_tasks().retrieve(run.uuid()).is_err());
    run.finish().unwrap();
}
