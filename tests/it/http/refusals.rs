//! What every answer is told to be, and what none of them tells.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use taskstore::http::Cause;
use taskstore::{Error, TaskStore};

use super::{Answer, ROWS, Served, detail, failure, options, post, request};
use crate::support::files::shell;
use crate::support::{finished, open};

const ROW: &str = "/api/v3/events/system_tasks/00000000-0000-0000-0000-000000000001/";

#[test]
fn every_answer_is_not_to_be_kept_and_is_json_or_nothing() {
    let served = Served::new();
    finished(&served.store, "t");
    let run = served.store.system_tasks().start("scan", None).unwrap();
    let run_path = format!("{ROWS}{}/run/", run.uuid());
    run.finish().unwrap();
    let closed = Served::new();
    closed.store.close().unwrap();
    let (task, rows) = (r#"{"params":{"task_id":1}}"#, ROWS);
    let answers = [
        (200, served.post("/task/list", "")),
        (200, served.post("/task/dismiss", task)),
        (200, served.get(rows)),
        (200, served.send("HEAD", rows, &[])),
        (400, served.post("/task/list", "[")),
        (400, served.get("/api/v3/events/system_tasks/?status=x")),
        (401, served.ask(super::with_headers(super::bare("POST", "/task/list"), &[("host", "localhost")]))),
        (403, served.send("GET", rows, &[("x-rights", "run")])),
        (403, served.send("GET", rows, &[("origin", "null")])),
        (404, served.get(ROW)),
        (404, served.get("/x")),
        (404, served.get("/task/x")),
        (405, served.get("/task/list")),
        (405, served.post(rows, "")),
        (406, served.send("GET", rows, &[("accept", "text/html")])),
        (421, served.send("GET", rows, &[("host", "localhost")])),
        (500, served.post(&run_path, "")),
        (500, closed.post("/task/list", "")),
        (500, closed.get(rows)),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
        let has_body = !answer.body.is_empty() || answer.header("content-length") != "0";
        assert_eq!(answer.header("content-type"), if has_body { "application/json" } else { "" }, "{answer:?}");
        assert!(answer.body.is_empty() || answer.json().is_object(), "{answer:?}");
    }
}

/// Has a store fail in one way.
type Break = fn(&Path) -> TaskStore;

fn closed(path: &Path) -> TaskStore {
    let store = open(path);
    store.close().unwrap();
    store
}

fn without_tables(path: &Path) -> TaskStore {
    let store = open(path);
    shell(path)
        .execute_batch("PRAGMA foreign_keys = 0; DROP TABLE message; DROP TABLE task; DROP TABLE system_task")
        .unwrap();
    store
}

/// All pages but the first, which names the tables, are overwritten.
fn damaged(path: &Path) -> TaskStore {
    let store = open(path);
    let pages: u32 = shell(path).query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    for page in 1..pages {
        file.write_all_at(&[0xa5; 4096], u64::from(page) * 4096).unwrap();
    }
    store
}

fn without_file(path: &Path) -> TaskStore {
    let store = open(path);
    std::fs::rename(path, path.with_extension("gone")).unwrap();
    store
}

fn read_only(path: &Path) -> TaskStore {
    crate::support::options().read_only(true).open(path).unwrap()
}

/// A file with a task and a row, whose name should be in no answer.
fn secret() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret.db");
    let store = open(&path);
    finished(&store, "t");
    store.system_tasks().start("scan", None).unwrap().finish().unwrap();
    store.close().unwrap();
    (directory, path)
}

fn assert_general(answer: &Answer, told: &str) {
    assert_eq!(answer.told(), (500, told), "{answer:?}");
    for secret in ["secret", "SELECT", "table", "sqlite", "disk image", "task_id"] {
        assert!(!answer.body.contains(secret), "{answer:?}");
    }
}

#[test]
fn a_store_that_fails_is_told_in_general_words_and_the_cause_is_for_the_operator() {
    for (break_it, is_it) in [
        (closed as Break, (|error| matches!(error, Error::Closed)) as fn(&Error) -> bool),
        (without_tables, |error| matches!(error, Error::Damaged { .. })),
        (damaged, |error| matches!(error, Error::Damaged { .. })),
        (without_file, |error| matches!(error, Error::FileMoved { .. })),
    ] {
        let (_directory, path) = secret();
        let served = Served::with(break_it(&path), options());
        for (request, told) in [
            (post("/task/list", ""), failure("internal error")),
            (post("/task/show", r#"{"params":{"task_id":1}}"#), failure("internal error")),
            (post("/task/dismiss", r#"{"params":{"task_id":1}}"#), failure("internal error")),
            (post("/task/dismiss_all", ""), failure("internal error")),
            (request("GET", ROWS).body("".into()).unwrap(), detail("Internal error.")),
            (request("GET", ROW).body("".into()).unwrap(), detail("Internal error.")),
            (request("POST", &format!("{ROW}run/")).body("".into()).unwrap(), detail("Internal error.")),
        ] {
            let asked = request.uri().to_string();
            let answer = served.ask(request);
            let Some(Cause(cause)) = answer.extensions.get() else { panic!("{asked}: {answer:?}") };
            assert!(is_it(cause), "{asked}: {cause:?}");
            assert_general(&answer, &told);
        }
    }
}

#[test]
fn a_store_that_only_reads_says_so_to_who_would_write() {
    let (_directory, path) = secret();
    let served = Served::with(read_only(&path), options());
    for action in ["dismiss", "restore", "dismiss_all"] {
        let answer = served.post(&format!("/task/{action}"), r#"{"params":{"task_id":1}}"#);
        assert_general(&answer, &failure("the store is read-only"));
        assert!(matches!(answer.extensions.get(), Some(Cause(cause)) if matches!(**cause, Error::ReadOnly)));
    }
    assert_eq!(served.post("/task/list", "").status, 200);
}

#[test]
fn what_concerns_the_request_has_no_cause_for_the_operator() {
    let served = Served::new();
    for answer in [served.post("/task/show", r#"{"params":{"task_id":9}}"#), served.get(ROW), served.get("/x")] {
        assert!(answer.extensions.get::<Cause>().is_none(), "{answer:?}");
    }
}
