//! Work that is run as a task.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};

use taskstore::testing::assert_task;
use taskstore::{Error, Level, Limits, NewTask, Outcome, RunError, RunningTask, TaskStore};

use crate::support::{everything, messages, options, task_id, temporary, texts};

/// An error with a source, which may have one too.
#[derive(Debug)]
struct Failed(&'static str, Option<Box<Failed>>);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Failed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

fn chain(texts: &[&'static str]) -> Failed {
    let (first, rest) = texts.split_first().unwrap();
    Failed(first, (!rest.is_empty()).then(|| Box::new(chain(rest))))
}

/// The outcome and the texts of the store's first task.
fn recorded(store: &TaskStore) -> (Option<Outcome>, Vec<String>) {
    (store.task(task_id(1)).unwrap().outcome, texts(store, task_id(1)))
}

#[test]
fn work_that_is_ok_finishes_the_task_and_gives_its_value() {
    let store = temporary();
    let value = store.run(NewTask::new("count").performed_by("ann"), |task| {
        task.info("counting")?;
        assert_eq!(store.task(task.id())?.outcome, None);
        Ok::<_, Error>(42)
    });
    assert_eq!(value.unwrap(), 42);
    assert_eq!(recorded(&store), (Some(Outcome::Finished), vec!["counting".to_owned()]));
    assert_eq!(store.task(task_id(1)).unwrap().performed_by, "ann");
}

#[test]
fn an_error_fails_the_task_with_the_texts_of_its_whole_chain() {
    for (texts, reason) in [
        (&["no standby"][..], "no standby"),
        (&["no standby", "no answer", "timed out"], "no standby: no answer: timed out"),
        // What repeats its source, as some errors do, is not said twice.
        (&["no standby: no answer", "no answer"], "no standby: no answer"),
    ] {
        let store = temporary();
        let error = store.run(NewTask::new("switch"), |_| Err::<(), _>(chain(texts))).unwrap_err();
        let RunError::Work { source } = error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), texts[0]);
        assert_eq!(recorded(&store), (Some(Outcome::Failed), vec![reason.to_owned()]));
        assert_eq!(messages(&store, task_id(1))[0].level, Level::Error);
    }
}

#[test]
fn an_error_may_be_a_string() {
    let store = temporary();
    let error = store.run(NewTask::new("switch"), |_| Err::<(), _>("no standby".to_owned())).unwrap_err();
    assert_eq!(
        (error.to_string().as_str(), error.source().unwrap().to_string().as_str()),
        ("the task failed", "no standby")
    );
    assert_eq!(recorded(&store), (Some(Outcome::Failed), vec!["no standby".to_owned()]));
}

#[test]
fn a_panic_is_recorded_as_an_interruption_and_goes_on() {
    fn panicked(work: impl FnOnce(&RunningTask)) -> (TaskStore, Box<dyn std::any::Any + Send>) {
        let store = temporary();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            store.run(NewTask::new("unlucky"), |task| {
                work(task);
                Ok::<_, Error>(())
            })
        }));
        (store, outcome.expect_err("the panic goes on"))
    }
    let interrupted =
        |texts: &[&str]| (Some(Outcome::Interrupted), texts.iter().map(|&text| text.to_owned()).collect());

    let (store, payload) = panicked(|task| {
        task.info("begun").unwrap();
        panic!("boom")
    });
    assert_eq!(payload.downcast_ref(), Some(&"boom"));
    assert_eq!(recorded(&store), interrupted(&["begun", "panicked: boom"]));

    let (store, payload) = panicked(|task| panic!("task {}", task.id()));
    assert_eq!(payload.downcast_ref(), Some(&"task 1".to_owned()));
    assert_eq!(recorded(&store), interrupted(&["panicked: task 1"]));

    let (store, payload) = panicked(|_| panic_any(7_u8));
    assert_eq!(payload.downcast_ref(), Some(&7_u8));
    assert_eq!(recorded(&store), interrupted(&["panicked"]));
}

#[test]
fn work_is_not_done_if_its_start_cannot_be_recorded() {
    let store = temporary();
    let mut done = false;
    let error = store.run(NewTask::new("nul\0"), |_| {
        done = true;
        Ok::<_, Error>(())
    });
    let error = error.unwrap_err();
    assert!(matches!(error, RunError::NotStarted { source: Error::Invalid { field: "title", .. } }), "{error:?}");
    assert_eq!(error.to_string(), "the start of the task was not recorded");
    assert!(!done);
    assert_eq!(everything(&store).tasks, []);
}

#[test]
fn an_end_that_cannot_be_recorded_is_told_apart_from_work_that_failed() {
    let store = temporary();
    let well = store.run(NewTask::new("well"), |task| store.finish(task.id())).unwrap_err();
    assert!(matches!(well, RunError::NotFinished { source: Error::WrongState { .. } }), "{well:?}");
    assert_eq!(well.to_string(), "the task was done, but its end was not recorded");

    let badly = store.run(NewTask::new("badly"), |task| {
        store.finish(task.id()).unwrap();
        Err::<(), _>("no standby")
    });
    let badly = badly.unwrap_err();
    assert!(matches!(badly, RunError::NotFailed { error: Error::WrongState { .. }, .. }), "{badly:?}");
    assert_eq!(badly.source().unwrap().to_string(), "no standby");
    assert!(badly.to_string().contains("cannot fail task 2: it is finished"), "{badly}");
}

#[test]
fn a_reason_over_the_limit_is_cut_between_two_characters_and_the_task_still_ends() {
    let limits = Limits { text_bytes_max: 10, ..Limits::default() };
    let store = options().limits(limits).open_temporary().unwrap();
    store.run(NewTask::new("long"), |_| Err::<(), _>("aéééééééé")).unwrap_err();
    assert_eq!(recorded(&store), (Some(Outcome::Failed), vec!["aéééé".to_owned()]));

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.run(NewTask::new("long"), |_| -> Result<(), Error> { panic!("boom and bust") })
    }));
    assert!(panicked.is_err());
    assert_task!(store, task_id(2), interrupted, messages["panicked: "]);
}
