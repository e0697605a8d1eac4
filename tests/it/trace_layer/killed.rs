//! A process that is killed.

use taskstore::trace_layer::TaskLayer;
use taskstore::{Outcome, TaskStore};
use tracing::{info, info_span};

use super::{shown, subscriber};
use crate::support::children::{Telling, role, say, wait_for_go};
use crate::support::open;

const TEST: &str = "trace_layer::killed::what_was_flushed_is_there_and_what_was_open_is_interrupted";

const CONTROL: &str = "trace_layer::killed::what_was_not_flushed_may_be_missing";

/// Logs, and waits to be killed.
fn child(role: &str, path: &std::path::Path) {
    let store = open(path);
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store));
    let log_and_wait = |flush: bool| {
        tracing::dispatcher::with_default(&dispatch, || {
            info_span!("a", task.title = "ended").in_scope(|| info!("said"));
            let _open = info_span!("b", task.title = "open").entered();
            (0..100).for_each(|number| info!("{number}"));
            if flush {
                handle.flush();
            }
            say("told");
            wait_for_go();
        });
    };
    match role {
        "flush" => log_and_wait(true),
        // While a batch is open the writer cannot write.
        _ => store
            .batch(|_| {
                log_and_wait(false);
                Ok::<_, taskstore::Error>(())
            })
            .unwrap(),
    }
}

fn left_by(test: &str, role: &str) -> Vec<(String, Option<Outcome>, Vec<String>)> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    drop(open(&path));
    let mut child = Telling::start(test, role, &path);
    assert_eq!(child.next(), "told");
    child.kill();
    let store: TaskStore = open(&path);
    shown(&store)
}

#[test]
fn what_was_flushed_is_there_and_what_was_open_is_interrupted() {
    if let Some((role, path)) = role() {
        return child(&role, &path);
    }
    let left = left_by(TEST, "flush");
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[0], ("ended".to_owned(), Some(Outcome::Finished), vec!["said".to_owned()]));
    let (title, outcome, texts) = &left[1];
    assert_eq!((title.as_str(), *outcome), ("open", Some(Outcome::Interrupted)));
    assert_eq!(texts.len(), 101);
    assert!(texts[..100].iter().enumerate().all(|(number, text)| *text == number.to_string()));
    assert!(texts[100].starts_with("interrupted: "), "{}", texts[100]);
}

/// The control: a flush that does not wait leaves nothing of it.
#[test]
fn what_was_not_flushed_may_be_missing() {
    if let Some((role, path)) = role() {
        return child(&role, &path);
    }
    assert!(left_by(CONTROL, "no flush").is_empty());
}
