//! All runs of a system task and their events, page by page.

use taskstore::testing::assert_run;
use taskstore::{Cursor, Error, Page, Run, RunId, RunOptions, SystemTaskStatus, TaskStore};
use uuid::Uuid;

use super::{events, finished, history, only_run, start, store_at_noon};
use crate::support::{Nanoseconds as _, temporary};

/// The ids of all runs, walked by pages of this many.
fn walk(store: &TaskStore, uuid: Uuid, limit: u32) -> Vec<i64> {
    let mut ids = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let Page { items, next, total, .. } = store.system_tasks().history(uuid, after.as_ref(), limit).unwrap();
        assert_eq!(total, None);
        assert!(items.len() <= limit as usize && (next.is_none() || items.len() == limit as usize));
        ids.extend(items.iter().map(|run| run.id.get()));
        let Some(next) = next else { return ids };
        // As it would come back from an URL.
        after = Some(next.to_string().parse().unwrap());
    }
}

#[test]
fn runs_come_newest_first_and_those_of_other_system_tasks_do_not() {
    let store = temporary();
    let uuid = finished(&store, "scan", None);
    let other = finished(&store, "scan", Some(""));
    finished(&store, "scan", None);
    finished(&store, "scan", None);
    let ids = |uuid| history(&store, uuid).into_iter().map(|run| run.id.get()).collect::<Vec<_>>();
    assert_eq!((ids(uuid), ids(other)), (vec![4, 3, 1], vec![2]));
}

#[test]
fn runs_in_progress_and_interrupted_ones_are_seen_with_their_events() {
    let store = temporary();
    let first = start(&store, "scan");
    let (first_id, uuid) = (first.id(), first.uuid());
    first.info("one", ()).unwrap();
    drop(first);
    let second = start(&store, "scan");
    second.info("two", ()).unwrap();

    let runs = history(&store, uuid);
    let seen: Vec<_> = runs.iter().map(|run| (run.id, run.status, run.interrupted, run.finished.is_some())).collect();
    let expected = [(second.id(), None, false, false), (first_id, Some(SystemTaskStatus::Error), true, true)];
    assert_eq!(seen, expected);
    assert_eq!((runs[0].duration, runs[0].expires, runs[0].event_count), (None, None, 1));
    assert_run!(store, second.id(), in progress, events ["two"]);
    assert_run!(store, first_id, interrupted with "without finish", events ["one", "ended without finish"]);
    second.finish().unwrap();
}

#[test]
fn a_system_task_that_is_not_listed_has_a_history() {
    let store = temporary();
    let run = start(&store, "scan");
    assert_eq!(super::listed(&store), []);
    let found = only_run(&store, run.uuid());
    assert_eq!((found.id, found.status), (run.id(), None));
    run.finish().unwrap();
}

#[test]
fn a_history_is_walked_by_pages_of_any_size() {
    let store = temporary();
    let uuid = finished(&store, "scan", None);
    (1..7).for_each(|_| assert_eq!(finished(&store, "scan", None), uuid));
    finished(&store, "other", None);
    for limit in [1, 2, 3, 6, 7, 8, 1_000] {
        assert_eq!(walk(&store, uuid, limit), [7, 6, 5, 4, 3, 2, 1], "by {limit}");
    }
}

#[test]
fn runs_that_start_or_go_meanwhile_neither_repeat_nor_hide_others() {
    let (store, clock) = store_at_noon();
    let run = |options| {
        let run = store.system_tasks().start_with("scan", None, options).unwrap();
        let uuid = run.uuid();
        run.finish().unwrap();
        uuid
    };
    let brief = || RunOptions::new().expires_after(std::time::Duration::from_secs(1));
    for options in [RunOptions::new(), brief(), brief(), RunOptions::new()] {
        run(options);
    }
    let uuid = run(RunOptions::new());
    let first = store.system_tasks().history(uuid, None, 3).unwrap();
    assert_eq!(first.items.iter().map(|run| run.id.get()).collect::<Vec<_>>(), [5, 4, 3]);

    run(RunOptions::new());
    clock.advance_ns(super::SECOND_NS);
    assert_eq!(store.clean_expired().unwrap().runs, 2);
    let second = store.system_tasks().history(uuid, first.next.as_ref(), 3).unwrap();
    assert_eq!(second.items.iter().map(|run| run.id.get()).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_cursor_that_a_history_did_not_give_out_is_refused() {
    let store = temporary();
    let uuid = finished(&store, "scan", None);
    let numbers = ["", "x", "0", "-1", "9223372036854775808", "1 "].map(|number| format!("run.{uuid}.{number}"));
    for cursor in ["", "garbage", "run.", "run.1", "task-1"].map(str::to_owned).into_iter().chain(numbers) {
        let refused = store.system_tasks().history(uuid, Some(&cursor.parse().unwrap()), 1).unwrap_err();
        assert!(matches!(&refused, Error::InvalidCursor { cursor: named } if *named == cursor), "{refused:?}");
    }
    finished(&store, "scan", None);
    let of_another = finished(&store, "scan", Some("2"));
    let next = store.system_tasks().history(uuid, None, 1).unwrap().next.unwrap();
    store.system_tasks().history(uuid, Some(&next), 1).unwrap();
    assert!(matches!(store.system_tasks().history(of_another, Some(&next), 1), Err(Error::InvalidCursor { .. })));
    let filter = taskstore::SystemTaskFilter::new().limit(1);
    let next = store.system_tasks().list(&filter).unwrap().next.unwrap();
    assert!(matches!(store.system_tasks().history(uuid, Some(&next), 1), Err(Error::InvalidCursor { .. })));
}

#[test]
fn an_unknown_uuid_has_no_history_and_an_unknown_run_no_events() {
    let store = temporary();
    let uuid = Uuid::from_u128(9);
    let unknown = store.system_tasks().history(uuid, None, 1).unwrap_err();
    assert_eq!(unknown.to_string(), "system task 00000000-0000-0000-0000-000000000009 does not exist");
    let unknown = store.system_tasks().events(RunId::try_from(9).unwrap(), 0, 1).unwrap_err();
    assert!(matches!(unknown, Error::NotFound { what: "run", id: 9 }), "{unknown:?}");
    assert!(matches!(RunId::try_from(0), Err(Error::OutOfRange { field: "run_id", .. })));
}

#[test]
fn events_are_read_by_pages_and_followed_while_the_run_goes_on() {
    let store = temporary();
    let run = start(&store, "scan");
    let read = |after, limit| -> Vec<u64> {
        store.system_tasks().events(run.id(), after, limit).unwrap().into_iter().map(|event| event.seq).collect()
    };
    assert_eq!(read(0, 10), [0; 0]);
    for number in 0..5 {
        run.info(number.to_string(), ()).unwrap();
    }
    assert_eq!((read(0, 2), read(2, 2), read(4, 2), read(5, 2)), (vec![1, 2], vec![3, 4], vec![5], vec![]));
    run.set_status(SystemTaskStatus::Warning, ["six", "seven"]).unwrap();
    assert_eq!(read(5, 1_000), [6, 7]);
    assert_eq!(read(u64::MAX, 1_000), [0; 0]);
    run.finish().unwrap();
}

#[test]
fn events_of_runs_that_log_at_the_same_time_do_not_mix() {
    let store = temporary();
    let runs = [start(&store, "a"), start(&store, "a"), start(&store, "b")];
    for number in 0..30 {
        runs[number % 3].info(number.to_string(), ()).unwrap();
    }
    for (index, run) in runs.into_iter().enumerate() {
        let found: Vec<_> = events(&store, run.id()).into_iter().map(|event| (event.seq, event.event)).collect();
        let expected: Vec<_> = (0..10).map(|seq| (seq + 1, (seq as usize * 3 + index).to_string())).collect();
        assert_eq!(found, expected);
        run.finish().unwrap();
    }
}

#[test]
fn a_run_survives_its_own_json() {
    let store = temporary();
    let run = start(&store, "scan");
    let uuid = run.uuid();
    let in_progress = only_run(&store, uuid);
    run.finish().unwrap();
    for run in [in_progress, only_run(&store, uuid)] {
        assert_eq!(serde_json::from_str::<Run>(&serde_json::to_string(&run).unwrap()).unwrap(), run);
    }
    let task = store.system_tasks().retrieve(uuid).unwrap();
    assert_eq!(serde_json::from_str::<taskstore::SystemTask>(&serde_json::to_string(&task).unwrap()).unwrap(), task);
}
