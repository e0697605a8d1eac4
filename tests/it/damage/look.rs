//! Everything that a program does with a store, in a file that may be damaged.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;
use taskstore::wire::system_task_api::{self, RetrieveRequest};
use taskstore::wire::task_api::{self, DismissedMember};
use taskstore::{
    Dismissed, Error, Finding, Level, NewTask, OpenOptions, Order, Progress, Result, SystemTaskFilter, TaskFilter,
    TaskId, TaskStore,
};

use crate::support::options;

/// What was seen in a file.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Seen {
    /// What is shown, by what it is asked for. What is cut off by an error is not in it.
    pub(super) shown: BTreeMap<String, String>,
    /// The errors, each with what was tried.
    pub(super) errors: Vec<(String, String)>,
    /// Errors of a kind that says nothing to a program.
    pub(super) nameless: Vec<(String, String)>,
    /// What `check` found, if it was asked and could answer.
    pub(super) findings: Option<Vec<Finding>>,
}

/// How a file is looked at: as the store does it, or as the controls do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    Honest,
    /// It takes an error for the end of what there is.
    IgnoresErrors,
    /// Its check finds nothing.
    ChecksNothing,
}

impl Seen {
    fn keep<T: std::fmt::Debug>(&mut self, asked: impl Into<String>, answer: Result<T>) -> Option<T> {
        let asked = asked.into();
        match answer {
            Ok(answer) => {
                self.shown.insert(asked, format!("{answer:?}"));
                Some(answer)
            }
            Err(error) => {
                self.fail(asked, &error);
                None
            }
        }
    }

    fn fail(&mut self, asked: String, error: &Error) {
        let told = format!("{error:?}");
        // An id that is another one by now is not found; what contradicts itself is refused; a header may say that
        // only a newer SQLite may write the file.
        let named = matches!(
            error,
            Error::Damaged { .. }
                | Error::NotATaskStore { .. }
                | Error::SchemaTooNew { .. }
                | Error::ReadOnly
                | Error::NotFound { .. }
                | Error::NoSuchSystemTask { .. }
                | Error::WrongState { .. }
                | Error::RunEnded { .. }
        );
        if !named {
            self.nameless.push((asked.clone(), told.clone()));
        }
        self.errors.push((asked, told));
    }
}

/// Checks a file that is only read, where SQLite leaves a part of the work to us.
pub(super) fn check_only(path: &Path) -> Seen {
    let mut seen = Seen::default();
    match OpenOptions::new().read_only(true).open(path).and_then(|store| store.check()) {
        Ok(findings) => seen.findings = Some(findings),
        Err(error) => seen.fail("check".to_owned(), &error),
    }
    seen
}

/// Looks at everything in the file at `path`; then checks it; then writes to it.
pub(super) fn look(path: &Path, way: Way) -> Seen {
    let mut seen = Seen::default();
    match options().open(path) {
        Ok(store) => {
            read(&store, &mut seen);
            let findings = if way == Way::ChecksNothing { Ok(Vec::new()) } else { store.check() };
            match findings {
                Ok(findings) => seen.findings = Some(findings),
                Err(error) => seen.fail("check".to_owned(), &error),
            }
            write(&store, &mut seen);
            if let Err(error) = store.close() {
                seen.fail("close".to_owned(), &error);
            }
        }
        Err(error) => seen.fail("open".to_owned(), &error),
    }
    if way == Way::IgnoresErrors {
        seen.errors.clear();
    }
    seen
}

pub(super) fn read(store: &TaskStore, seen: &mut Seen) {
    let filter = TaskFilter::new().dismissed(Dismissed::Included).limit(1_000);
    let mut ids: Vec<TaskId> = Vec::new();
    for order in [Order::NewestFirst, Order::OldestFirst] {
        let list = seen.keep(format!("list {order:?}"), store.list(&filter.clone().order(order)));
        ids.extend(list.into_iter().flat_map(|page| page.items).map(|task| task.id));
    }
    ids.sort_unstable();
    ids.dedup();
    seen.keep("visible", store.list(&TaskFilter::new()));
    seen.keep("with messages", store.list_with_messages(&filter));
    seen.keep("search", store.list(&filter.clone().text("copied")));
    seen.keep("configurations", store.configurations().list());
    seen.keep("counts", store.counts(None));
    for id in ids.into_iter().take(40) {
        seen.keep(format!("task {id}"), store.task(id));
        seen.keep(format!("messages {id}"), store.messages(id, 0, 1_000));
        seen.keep(format!("tail {id}"), store.tail(id, 5));
    }
    let system_tasks = seen.keep("system tasks", store.system_tasks().list(&SystemTaskFilter::new().limit(100)));
    for task in system_tasks.into_iter().flat_map(|page| page.items).take(10) {
        let uuid = task.uuid;
        seen.keep(format!("system task {uuid}"), store.system_tasks().retrieve(uuid));
        let history = seen.keep(format!("history {uuid}"), store.system_tasks().history(uuid, None, 100));
        for run in history.into_iter().flat_map(|page| page.items).take(10) {
            seen.keep(format!("events {}", run.id), store.system_tasks().events(run.id, 0, 100));
        }
        let request = RetrieveRequest::new(uuid);
        written(seen, "system task api row", |out| system_task_api::write_system_task(store, &request, out));
    }
    let member = DismissedMember::HiddenBy;
    let request = task_api::ListRequest { configuration: None, show_hidden: true };
    written(seen, "task api", |out| task_api::write_list(store, request, member, out));
    let request = system_task_api::ListRequest::parse(std::iter::empty::<(&str, &str)>()).unwrap();
    written(seen, "system task api", |out| system_task_api::write_list(store, &request, out));
    written(seen, "export", |out| store.export_tasks(&filter, out).map(drop));
}

/// A stream that ends well is whole JSON, or whole lines of it.
fn written(seen: &mut Seen, asked: &str, write: impl FnOnce(&mut Vec<u8>) -> Result<()>) {
    let mut out = Vec::new();
    let written = write(&mut out);
    if written.is_ok() {
        for value in serde_json::Deserializer::from_slice(&out).into_iter::<serde_json::Value>() {
            value.unwrap();
        }
    }
    seen.keep(asked, written.map(|()| String::from_utf8(out).unwrap()));
}

fn write(store: &TaskStore, seen: &mut Seen) {
    let mut ended = |verb: &str, answer: Result<()>| {
        if let Err(error) = answer {
            seen.fail(verb.to_owned(), &error);
        }
    };
    match store.start_detached(NewTask::new("new").key("new")) {
        Ok(id) => {
            ended("message", store.message(id, Level::Warn, "said"));
            ended("progress", store.progress(id, &Progress::new(1)));
            ended("finish", store.finish(id));
            ended("dismiss", store.dismiss(id, "eve"));
            ended("restore", store.restore(id));
            ended("delete", store.delete(id));
        }
        Err(error) => ended("start", Err(error)),
    }
    let first = crate::support::task_id(1);
    ended("message of an old task", store.message(first, Level::Info, "said"));
    ended("fail", store.fail(first, "no answer"));
    ended("dismiss all", store.dismiss_all(None, "eve").map(drop));
    ended("rename", store.configurations().rename(crate::support::configuration_id(1), "renamed"));
    match store.system_tasks().start("fetch_mail", Some("host 1")) {
        Ok(run) => {
            ended("log", run.info("fetched", json!({})));
            ended("end a run", run.finish().map_err(|not_ended| not_ended.error));
        }
        Err(error) => ended("start a run", Err(error)),
    }
    ended("clean", store.clean_expired().map(drop));
    ended("recount", store.recount());
}
