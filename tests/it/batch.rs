//! Many verbs in one transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::Duration;

use taskstore::{Error, Level, NewTask, Outcome, Progress, Result, TaskFilter, TaskStore};

use crate::support::{configuration_id, everything, finished, open, options, start, task_id, temporary, texts};

#[test]
fn every_verb_of_a_batch_does_what_the_store_does() {
    let (one, other) = (temporary(), temporary());
    let by_batch = one.batch(|batch| {
        let configuration = batch.add_configuration("prod")?;
        let gone = batch.add_configuration("gone")?;
        batch.rename_configuration(configuration, "production")?;
        let new = |title: &str| NewTask::new(title).performed_by("ann").configuration(configuration);
        let ids = [batch.start_detached(new("1"))?, batch.start_detached(new("2"))?, batch.start_detached(new("3"))?];
        batch.delete_configuration(gone)?;
        batch.message(ids[0], Level::Debug, "text")?;
        batch.progress(ids[0], &Progress::new(1).of(2).phase("half"))?;
        batch.finish(ids[0])?;
        batch.dismiss(ids[0], "bob")?;
        batch.restore(ids[0])?;
        batch.fail(ids[1], "because")?;
        let dismissed = batch.dismiss_all(Some(configuration), "bob")?;
        batch.finish(ids[2])?;
        batch.delete(ids[2])?;
        Ok::<_, Error>(dismissed)
    });
    assert_eq!(by_batch.unwrap(), 2);

    let configuration = other.configurations().add("prod").unwrap();
    let gone = other.configurations().add("gone").unwrap();
    other.configurations().rename(configuration, "production").unwrap();
    let new = |title: &str| NewTask::new(title).performed_by("ann").configuration(configuration);
    let ids = ["1", "2", "3"].map(|title| other.start_detached(new(title)).unwrap());
    other.configurations().delete(gone).unwrap();
    other.message(ids[0], Level::Debug, "text").unwrap();
    other.progress(ids[0], &Progress::new(1).of(2).phase("half")).unwrap();
    other.finish(ids[0]).unwrap();
    other.dismiss(ids[0], "bob").unwrap();
    other.restore(ids[0]).unwrap();
    other.fail(ids[1], "because").unwrap();
    assert_eq!(other.dismiss_all(Some(configuration), "bob").unwrap(), 2);
    other.finish(ids[2]).unwrap();
    other.delete(ids[2]).unwrap();

    assert_eq!(without_times(&one), without_times(&other));
}

/// All of a store but the times, as text.
fn without_times(store: &TaskStore) -> String {
    let everything = everything(store);
    let tasks = everything.tasks.into_iter().map(|(task, messages)| {
        let said: Vec<_> = messages.into_iter().map(|message| (message.seq, message.level, message.text)).collect();
        let ends = (task.outcome, task.finished.is_some(), task.dismissed_by, task.dismissed.is_some());
        let given = (task.title, task.performed_by, task.configuration_id, task.configuration_name);
        format!("{:?}\n", (task.id, given, ends, task.progress, task.message_count, said))
    });
    tasks.chain([format!("{:?}", everything.configurations)]).collect()
}

#[test]
fn an_error_of_the_work_undoes_all_of_it_and_comes_back_as_it_is() {
    #[derive(Debug)]
    enum Own {
        Store(Error),
        GiveUp(u8),
    }
    impl From<Error> for Own {
        fn from(error: Error) -> Self {
            Self::Store(error)
        }
    }
    let store = temporary();
    let old = start(&store, "before");
    let before = everything(&store);
    let answer: Result<(), Own> = store.batch(|batch| {
        batch.start_detached(NewTask::new("within"))?;
        batch.message(old, Level::Info, "within")?;
        batch.add_configuration("within")?;
        batch.finish(old)?;
        Err(Own::GiveUp(7))
    });
    assert!(matches!(answer, Err(Own::GiveUp(7))), "{answer:?}");
    assert_eq!(everything(&store), before);
    let answer: Result<(), Own> = store.batch(|batch| Ok(batch.finish(task_id(99))?));
    assert!(matches!(answer, Err(Own::Store(Error::NotFound { what: "task", id: 99 }))), "{answer:?}");
    // The ids that were not given in the end are free.
    assert_eq!(start(&store, "after").get(), old.get() + 1);
}

#[test]
fn a_panic_of_the_work_undoes_all_of_it_and_goes_on() {
    let store = temporary();
    let old = start(&store, "before");
    let before = everything(&store);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.batch(|batch| -> Result<()> {
            batch.finish(old)?;
            panic!("boom")
        })
    }));
    assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"boom"));
    assert_eq!(everything(&store), before);
    store.finish(old).unwrap();
}

#[test]
fn a_batch_sees_its_own_writes_and_others_see_them_when_it_is_done() {
    let store = temporary();
    let id = start(&store, "copy");
    store
        .batch(|batch| {
            batch.fail(id, "because")?;
            let own = batch.task(id)?;
            assert_eq!((own.outcome, own.message_count), (Some(Outcome::Failed), 1));
            let new = batch.start_detached(NewTask::new("new"))?;
            assert_eq!(batch.task(new)?.title, "new");
            // A reader does not wait, and sees what was committed.
            let seen = std::thread::scope(|scope| {
                scope.spawn(|| (store.task(id), store.list(&TaskFilter::new()).unwrap().items.len())).join().unwrap()
            });
            assert_eq!((seen.0?.outcome, seen.1), (None, 1));
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!(store.task(id).unwrap().outcome, Some(Outcome::Failed));
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 2);
}

#[test]
fn an_error_of_one_verb_undoes_that_verb_alone() {
    let store = temporary();
    let ended = finished(&store, "ended");
    let before = everything(&store).tasks[0].clone();
    let id = store
        .batch(|batch| {
            let id = batch.start_detached(NewTask::new("new"))?;
            assert!(matches!(batch.finish(ended), Err(Error::WrongState { .. })));
            assert!(matches!(batch.message(ended, Level::Info, "late"), Err(Error::WrongState { .. })));
            assert!(matches!(batch.message(task_id(99), Level::Info, "late"), Err(Error::NotFound { .. })));
            let nowhere = NewTask::new("nowhere").configuration(configuration_id(9));
            assert!(matches!(batch.start_detached(nowhere), Err(Error::NotFound { .. })));
            assert!(matches!(batch.start_detached(NewTask::new("\0")), Err(Error::Invalid { .. })));
            batch.message(id, Level::Info, "goes on")?;
            Ok::<_, Error>(id)
        })
        .unwrap();
    assert_eq!(texts(&store, id), ["goes on"]);
    assert_eq!(everything(&store).tasks[0], before);
    assert_eq!(everything(&store).tasks.len(), 2);
}

#[test]
fn a_verb_or_a_read_of_the_store_inside_its_own_batch_is_refused() {
    let refused = |answer: Result<()>| assert!(matches!(answer, Err(Error::InsideBatch)), "{answer:?}");
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let id = start(&store, "copy");
        let answer = store.batch(|batch| {
            for own in [&store, &store.clone()] {
                refused(own.finish(id));
                refused(own.start_detached(NewTask::new("within")).map(drop));
                refused(own.task(id).map(drop));
                refused(own.messages(id, 0, 1).map(drop));
                refused(own.list(&TaskFilter::new()).map(drop));
                refused(own.configurations().list().map(drop));
                refused(own.configurations().add("within").map(drop));
                refused(own.batch(|_| Ok(())));
                refused(own.close());
                refused(own.flush());
                let wire = taskstore::wire::task_api::write_task(own, id, Default::default(), Vec::new());
                refused(wire);
            }
            batch.message(id, Level::Info, "the batch goes on")
        });
        answer.unwrap();
        assert_eq!(texts(&store, id), ["the batch goes on"]);
        // Behind the batch, also one that panicked, the store works again.
        let _ = catch_unwind(AssertUnwindSafe(|| store.batch(|_| -> Result<()> { panic!("boom") })));
        store.finish(id).unwrap();
    }
}

#[test]
fn the_text_of_that_refusal_says_what_to_do() {
    let store = temporary();
    let error = store.batch(|_| store.dismiss_all(None, "ann")).unwrap_err();
    assert_eq!(error.to_string(), "the store was called inside its own batch; use the batch's methods there");
    assert!(!error.is_retryable());
}

#[test]
fn another_store_works_inside_a_batch() {
    let (one, other) = (temporary(), temporary());
    let (id, inner) = one
        .batch(|batch| {
            let id = batch.start_detached(NewTask::new("outer"))?;
            let inner = other.batch(|inner_batch| {
                assert!(matches!(one.finish(id), Err(Error::InsideBatch)));
                let inner = inner_batch.start_detached(NewTask::new("inner"))?;
                batch.message(id, Level::Info, "from inside")?;
                Ok::<_, Error>(inner)
            })?;
            other.message(inner, Level::Info, "from outside")?;
            assert!(matches!(one.finish(id), Err(Error::InsideBatch)));
            Ok::<_, Error>((id, inner))
        })
        .unwrap();
    assert_eq!(texts(&one, id), ["from inside"]);
    assert_eq!(texts(&other, inner), ["from outside"]);
}

#[test]
fn other_writers_wait_for_a_batch_and_are_busy_past_their_timeout() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let hasty_store = options().busy_timeout(Duration::from_millis(20)).open(&path).unwrap();
    let id = start(&store, "copy");
    std::thread::scope(|scope| {
        let patient = store
            .batch(|batch| {
                let busy = scope.spawn(|| hasty_store.message(id, Level::Info, "hasty")).join().unwrap().unwrap_err();
                assert!(matches!(busy, Error::Busy { waited } if !waited.is_zero()), "{busy:?}");
                assert!(busy.is_retryable());
                // Asks for the same connection, so that only the end of the batch can let it in.
                let (tell, told) = mpsc::channel();
                let patient = scope.spawn(|| {
                    let store = store.clone();
                    tell.send(()).unwrap();
                    drop(tell);
                    store.message(id, Level::Info, "patient")
                });
                told.recv().unwrap();
                (0..50).try_for_each(|n| batch.message(id, Level::Info, n.to_string()))?;
                Ok::<_, Error>(patient)
            })
            .unwrap();
        patient.join().unwrap().unwrap();
    });
    let expected: Vec<_> = (0..50).map(|n| n.to_string()).chain(["patient".to_owned()]).collect();
    assert_eq!(texts(&store, id), expected);
}

#[test]
fn a_thread_that_waits_for_a_batch_of_the_same_store_is_busy_past_its_timeout() {
    for open in [taskstore::OpenOptions::open_temporary, taskstore::OpenOptions::open_in_memory] {
        let store = open(&options().busy_timeout(Duration::from_millis(20))).unwrap();
        let id = start(&store, "copy");
        store
            .batch(|batch| {
                batch.message(id, Level::Info, "batch")?;
                let hasty =
                    std::thread::scope(|scope| scope.spawn(|| store.message(id, Level::Info, "hasty")).join().unwrap());
                assert!(matches!(hasty, Err(Error::Busy { .. })), "{hasty:?}");
                Ok::<_, Error>(())
            })
            .unwrap();
        assert_eq!(texts(&store, id), ["batch"]);
    }
}

#[test]
fn a_batch_of_nothing_is_done_and_gives_its_value() {
    let store = temporary();
    assert_eq!(store.batch(|_| Ok::<_, Error>(5)).unwrap(), 5);
}
