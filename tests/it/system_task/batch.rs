//! Runs that are recorded in one transaction.

use serde_json::json;
use taskstore::{Error, LogEvent, LogLevel, RunOptions, StartedRun, SystemTaskStatus, TaskStore};

use super::{events, finished, history, listed, only_run, said, start};
use crate::support::temporary;

/// A run with three events, in a transaction that may be made to fail.
fn whole_run(store: &TaskStore, fails: bool) -> Result<StartedRun, Error> {
    store.batch(|batch| {
        let options = RunOptions::new().description("Fetches the mail");
        let run = batch.start_run("fetch", Some("ann"), options)?;
        let event = LogEvent::new(LogLevel::Warning, "slow").logger("imap");
        batch.log(&run, event.attributes(json!({"ms": 900}))?)?;
        batch.set_status(&run, SystemTaskStatus::Warning, ["3 messages", "1 odd"])?;
        batch.finish_run(&run)?;
        if fails { Err(Error::Closed) } else { Ok(run) }
    })
}

#[test]
fn a_whole_run_is_recorded_in_one_batch() {
    let store = temporary();
    let run = whole_run(&store, false).unwrap();
    let task = store.system_tasks().retrieve(run.uuid()).unwrap();
    assert_eq!((task.full_name().as_str(), task.description.as_str()), ("fetch:ann", "Fetches the mail"));
    assert_eq!((task.status(), task.shown_run.as_ref().map(|run| run.id)), (SystemTaskStatus::Warning, Some(run.id())));
    let found: Vec<_> = events(&store, run.id()).into_iter().map(|e| (e.seq, e.level, e.logger, e.event)).collect();
    let expected = [
        (1, LogLevel::Warning, "imap", "slow"),
        (2, LogLevel::Info, "fetch", "3 messages"),
        (3, LogLevel::Info, "fetch", "1 odd"),
    ];
    assert_eq!(found, expected.map(|(seq, level, logger, event)| (seq, level, logger.to_owned(), event.to_owned())));
    assert_eq!(only_run(&store, run.uuid()).event_count, 3);
}

#[test]
fn a_batch_that_fails_has_recorded_nothing() {
    let store = temporary();
    assert!(matches!(whole_run(&store, true), Err(Error::Closed)));
    assert_eq!(listed(&store), []);
    // Neither has it used up an id.
    let run = whole_run(&store, false).unwrap();
    assert_eq!(run.id().get(), 1);

    let before = (listed(&store), history(&store, run.uuid()), events(&store, run.id()));
    assert!(matches!(whole_run(&store, true), Err(Error::Closed)));
    assert_eq!((listed(&store), history(&store, run.uuid()), events(&store, run.id())), before);
}

#[test]
fn a_batch_that_panics_has_recorded_nothing() {
    let store = temporary();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        store.batch(|batch| {
            let run = batch.start_run("fetch", None, RunOptions::new())?;
            batch.finish_run(&run)?;
            panic!("boom");
            #[allow(unreachable_code)]
            Ok::<_, Error>(())
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(listed(&store), []);
    assert_eq!(start(&store, "fetch").id().get(), 1);
}

#[test]
fn many_runs_of_one_and_of_other_system_tasks_share_a_batch() {
    let store = temporary();
    let first = finished(&store, "a", None);
    let uuids = store
        .batch(|batch| {
            let mut uuids = Vec::new();
            for name in ["a", "b", "a", "b"] {
                let run = batch.start_run(name, None, RunOptions::new())?;
                batch.finish_run(&run)?;
                uuids.push(run.uuid());
            }
            Ok::<_, Error>(uuids)
        })
        .unwrap();
    assert_eq!((uuids[0], uuids[2]), (first, first));
    assert_eq!(uuids[1], uuids[3]);
    assert_ne!(uuids[0], uuids[1]);
    assert_eq!((history(&store, uuids[0]).len(), history(&store, uuids[1]).len()), (3, 2));
}

#[test]
fn a_run_that_a_batch_does_not_end_stays_in_progress_and_goes_on_in_the_next() {
    let store = temporary();
    let run = store.batch(|batch| batch.start_run("fetch", None, RunOptions::new())).unwrap();
    assert_eq!(only_run(&store, run.uuid()).finished, None);
    store.batch(|batch| batch.log(&run, LogEvent::new(LogLevel::Info, "one"))).unwrap();
    let clone = run.clone();
    drop(run);
    store.batch(|batch| batch.log(&clone, LogEvent::new(LogLevel::Info, "two"))).unwrap();
    store.batch(|batch| batch.finish_run(&clone)).unwrap();
    let texts: Vec<_> = said(&store, clone.id()).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(only_run(&store, clone.uuid()).status, Some(SystemTaskStatus::Successful));
}

#[test]
fn a_guard_inside_a_batch_of_its_own_store_is_refused() {
    let store = temporary();
    let run = start(&store, "fetch");
    let uuid = run.uuid();
    store
        .batch(|_| {
            assert!(matches!(run.info("e", ()), Err(Error::InsideBatch)));
            assert!(matches!(store.system_tasks().start("fetch", None), Err(Error::InsideBatch)));
            assert!(matches!(store.system_tasks().retrieve(uuid), Err(Error::InsideBatch)));
            assert!(matches!(store.clean_expired(), Err(Error::InsideBatch)));
            Ok::<_, Error>(())
        })
        .unwrap();
    run.finish().unwrap();
    assert_eq!(only_run(&store, uuid).event_count, 0);
}

#[test]
fn a_run_that_is_gone_is_told_from_one_that_has_ended() {
    let store = temporary();
    let options = RunOptions::new().expires_after(std::time::Duration::ZERO);
    let run = store
        .batch(|batch| {
            let run = batch.start_run("fetch", None, options)?;
            batch.finish_run(&run)?;
            Ok::<_, Error>(run)
        })
        .unwrap();
    assert_eq!(store.clean_expired().unwrap().runs, 1);
    let id = run.id().get();
    for answer in [
        store.batch(|batch| batch.log(&run, LogEvent::new(LogLevel::Info, "e"))),
        store.batch(|batch| batch.finish_run(&run)),
    ] {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::NotFound { what: "run", id: named } if named == id), "{error:?}");
    }
}
