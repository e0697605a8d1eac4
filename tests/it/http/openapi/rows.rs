//! Rows of all kinds, for answers that show them.

use serde_json::{Value, json};
use taskstore::{Level, LogEvent, LogLevel, NewTask, RunOptions, SystemTaskStatus, TaskStore};
use uuid::Uuid;

use crate::support::{finished, interrupted, start};

/// Fills a store. The ids of its tasks begin with 1.
pub(super) fn fill(store: &TaskStore) {
    let configuration = store.configurations().add("prod \u{1f512}").unwrap();
    let of_configuration = NewTask::new("Switch over").performed_by("ann").configuration(configuration);
    let id = store.start_detached(of_configuration).unwrap();
    store.message(id, Level::Warn, "\u{7}\"\\\n\u{2028}é").unwrap();
    store.fail(id, "").unwrap();
    start(store, "");
    interrupted(store, "Cut off");
    store.dismiss(finished(store, "Put away"), "bob").unwrap();
    finished(store, "Done");

    store.system_tasks().register("never_run", "Waits.").unwrap();
    for uid in [None, Some(""), Some("a:b"), Some("\u{fc}\n")] {
        run(store, "sync", uid, RunOptions::new().description("Gr\u{fc}\u{df}e"));
    }
    run(store, "kept", None, RunOptions::new().never_expires());
}

fn run(store: &TaskStore, name: &str, uid: Option<&str>, options: RunOptions) {
    let run = store.system_tasks().start_with(name, uid, options).unwrap();
    let attributes = [json!({}), json!({"": null, "a": [1, {"b": 1.5}], "n": u64::MAX}), Value::Null];
    for (level, attributes) in LogLevel::ALL.into_iter().zip(attributes.iter().cycle()) {
        run.log(LogEvent::new(level, "said").logger("").attributes(attributes).unwrap()).unwrap();
    }
    run.set_status(SystemTaskStatus::Warning, ["", "look"]).unwrap();
    run.finish().unwrap();
}

/// The uuid of the row of this name and without a uid.
pub(super) fn uuid(store: &TaskStore, name: &str) -> Uuid {
    store.system_tasks().find(name, None).unwrap().unwrap()
}
