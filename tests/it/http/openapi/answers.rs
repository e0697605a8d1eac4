//! The document holds for every answer, and every answer it promises is given.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::time::Duration;

use axum::body::Body;
use axum::http::request::{Builder, Parts};
use axum::http::{Method, Request};
use taskstore::http::{Options, Rights, Unauthenticated, User};
use taskstore::{Level, RunOptions};
use tower::ServiceExt;
use uuid::Uuid;

use super::super::{Answer, Served, request};
use super::document::{Answered, Document};
use super::{PATH, rows};
use crate::support::files::shell;
use crate::support::{finished, options, start, temporary};

/// A good request of every operation: its id, its method, its path and its body.
pub(super) type Good = (&'static str, Method, String, &'static str);

const ONE_TASK: &str = r#"{"params":{"task_id":1}}"#;

/// How often what depends on who is faster is tried.
const TRIES_MAX: usize = 1_000;

/// The router, its document, and which of what the document promises has been seen.
struct Witness {
    served: Served,
    document: Document,
    seen: BTreeSet<Answered>,
}

impl Witness {
    fn new(served: Served) -> Self {
        Self { document: Document::of(&served, PATH), served, seen: BTreeSet::new() }
    }

    fn see(&mut self, operation: &str, status: u16, request: Request<Body>) -> Answer {
        let what = format!("{operation}: {request:?}");
        let answer = self.served.ask(request);
        assert_eq!(answer.status, status, "{what}: {answer:?}");
        assert_eq!(self.document.problem(operation, &answer), None, "{what}: {answer:?}");
        self.seen.insert((operation.to_owned(), status));
        answer
    }

    fn see_good(&mut self, good: &Good, status: u16) -> Answer {
        let (id, ..) = good;
        self.see(id, status, with(good, |builder| builder))
    }
}

/// A good request, changed.
pub(super) fn with((_, method, path, body): &Good, change: impl FnOnce(Builder) -> Builder) -> Request<Body> {
    let builder = request(method.clone(), path).header("content-type", "application/json");
    change(builder).body(Body::from(*body)).unwrap()
}

/// Another value of a header, where `header` of the builder would add it.
fn replaced(mut request: Request<Body>, name: &'static str, value: &'static str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// Knows who says who he is, and panics if asked to.
fn http_options() -> Options {
    let authenticate = |request: &Parts| {
        assert!(!request.headers.contains_key("x-panic"), "it was asked to panic");
        let user = request.headers.get("x-user").ok_or(Unauthenticated::NoCredentials)?;
        let rights = if request.headers.contains_key("x-no-rights") { Rights::NONE } else { Rights::ALL };
        Ok(User::new(user.to_str().unwrap(), rights))
    };
    Options::new(authenticate).openapi(true).on_run("sync", |_| {})
}

fn row(uuid: Uuid, rest: &str) -> String {
    format!("/api/v3/events/system_tasks/{uuid}/{rest}")
}

pub(super) fn all_good(uuid: Uuid) -> [Good; 8] {
    let post = |id, path: &str, body| (id, Method::POST, path.to_owned(), body);
    [
        post("task_list", "/task/list", r#"{"params":{"show_hidden":true}}"#),
        post("task_show", "/task/show", ONE_TASK),
        post("task_dismiss", "/task/dismiss", ONE_TASK),
        post("task_restore", "/task/restore", ONE_TASK),
        post("task_dismiss_all", "/task/dismiss_all", ""),
        ("events_system_tasks_list", Method::GET, "/api/v3/events/system_tasks/".to_owned(), ""),
        ("events_system_tasks_retrieve", Method::GET, row(uuid, ""), ""),
        ("events_system_tasks_run_create", Method::POST, row(uuid, "run/"), ""),
    ]
}

#[test]
fn every_answer_is_promised_and_every_promise_is_kept() {
    let store = temporary();
    rows::fill(&store);
    let mut witness = Witness::new(Served::with(store, http_options()));
    see_what_all_answer(&mut witness);
    see_task_api(&mut witness);
    see_system_task_api(&mut witness);
    see_busy_writes(&mut witness);
    see_busy_reads(&mut witness);
    see_busy_runs(&mut witness);

    let promised = witness.document.promised();
    assert_eq!(promised.difference(&witness.seen).collect::<Vec<_>>(), Vec::<&Answered>::new(), "never given");
    assert_eq!(promised, witness.seen);
}

/// What is good, and what each operation refuses before it looks further.
fn see_what_all_answer(witness: &mut Witness) {
    for good in all_good(rows::uuid(&witness.served.store, "sync")) {
        let id = good.0;
        let is_task_api = id.starts_with("task");
        witness.see_good(&good, if id.ends_with("run_create") { 204 } else { 200 });
        let mut anonymous = with(&good, |builder| builder);
        anonymous.headers_mut().remove("x-user");
        witness.see(id, if is_task_api { 401 } else { 403 }, anonymous);
        witness.see(id, 403, with(&good, |builder| builder.header("x-no-rights", "")));
        witness.see(id, 403, with(&good, |builder| builder.header("origin", "https://evil.example")));
        let foreign = replaced(with(&good, |builder| builder), "host", "evil.example");
        witness.see(id, 421, foreign);
        witness.see(id, 405, with(&good, |builder| builder.method(Method::PATCH)));
        witness.see(id, 500, with(&good, |builder| builder.header("x-panic", "")));
        if !is_task_api {
            witness.see(id, 406, with(&good, |builder| builder.header("accept", "text/html")));
        }
    }
}

fn see_task_api(witness: &mut Witness) {
    let post = |id, path, body: &'static str| (id, Method::POST, format!("/task/{path}"), body);
    for id in 1..=5 {
        let show = format!(r#"{{"params":{{"task_id":{id}}}}}"#);
        let show = request(Method::POST, "/task/show").header("content-type", "application/json").body(show.into());
        witness.see("task_show", 200, show.unwrap());
    }
    witness.see_good(&post("task_list", "list", ""), 200);
    witness.see_good(&post("task_list", "list", r#"{"params":{"configuration_id":7}}"#), 200);
    let bad = ["{", "[]", r#"{"params":1}"#, r#"{"params":{"configuration_id":-1,"task_id":"1"}}"#];
    for (id, path) in [("task_list", "list"), ("task_dismiss_all", "dismiss_all")] {
        for body in bad {
            witness.see_good(&post(id, path, body), 400);
        }
    }
    for (id, path) in [("task_show", "show"), ("task_dismiss", "dismiss"), ("task_restore", "restore")] {
        for body in bad.into_iter().chain(["", "{}", r#"{"params":{"task_id":99}}"#]) {
            witness.see_good(&post(id, path, body), 400);
        }
        let text = with(&post(id, path, ONE_TASK), |builder| builder);
        witness.see(id, 400, replaced(text, "content-type", "text/plain"));
    }
    let unknown = witness.served.post("/task/unknown", "");
    assert_eq!(unknown.status, 404);
    witness.document.validate_as("FailureAnswer", &unknown.body).unwrap();
}

fn see_system_task_api(witness: &mut Witness) {
    let list = "/api/v3/events/system_tasks/";
    let get = |id, path: String| (id, Method::GET, path, "");
    let uuid = |name| rows::uuid(&witness.served.store, name);
    let (sync, never_run, kept) = (uuid("sync"), uuid("never_run"), uuid("kept"));
    let run = |path: String| ("events_system_tasks_run_create", Method::POST, path, "");
    for query in
        ["?page=last&page_size=1", "?name=none", "?ordering=-expires,bogus&search=%22", "?status=", "?page_size=x"]
    {
        witness.see_good(&get("events_system_tasks_list", format!("{list}{query}")), 200);
    }
    witness.see_good(&get("events_system_tasks_list", format!("{list}?page=2")), 404);
    for query in ["?status=bogus", "?status=bogus&name=%00&uid=%00", "?search=%00"] {
        witness.see_good(&get("events_system_tasks_list", format!("{list}{query}")), 400);
        witness.see_good(&get("events_system_tasks_retrieve", row(sync, query)), 400);
        witness.see_good(&run(row(sync, &format!("run/{query}"))), 400);
    }
    for uuid in [never_run, kept] {
        witness.see_good(&get("events_system_tasks_retrieve", row(uuid, "")), 200);
    }
    for path in [row(Uuid::nil(), ""), format!("{list}bogus/"), row(sync, "?status=error")] {
        witness.see_good(&get("events_system_tasks_retrieve", path.clone()), 404);
        let path = if path.ends_with('/') { format!("{path}run/") } else { path.replace("/?", "/run/?") };
        witness.see_good(&run(path), 404);
    }
    let nothing_registered = witness.see_good(&run(row(never_run, "run/")), 500);
    assert_eq!(nothing_registered.body, "");
    let unknown = witness.served.get("/nowhere");
    assert_eq!(unknown.status, 404);
    witness.document.validate_as("GenericError", &unknown.body).unwrap();
}

/// Another program holds the lock of the file for longer than the store waits.
fn see_busy_writes(witness: &mut Witness) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().busy_timeout(Duration::from_millis(10)).open(&path).unwrap();
    finished(&store, "Copy");
    let mut busy = Witness::new(Served::with(store, http_options()));
    let other = shell(&path);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for good in &all_good(Uuid::nil())[2..5] {
        busy.see_good(good, 503);
    }
    other.execute_batch("ROLLBACK").unwrap();
    witness.seen.append(&mut busy.seen);
}

/// The only place for a stream is taken.
fn see_busy_reads(witness: &mut Witness) {
    let store = temporary();
    let (long, task) = ("x".repeat(60_000), start(&store, "Talk"));
    let run = store.system_tasks().start_with("talk", None, RunOptions::new()).unwrap();
    let uuid = run.uuid();
    for _ in 0..20 {
        store.message(task, Level::Info, &long).unwrap();
        run.info(&long, ()).unwrap();
    }
    run.finish().unwrap();
    let served = Served::with(store, http_options().streams_max(1));
    for good in
        all_good(uuid).into_iter().filter(|(id, ..)| ["list", "show", "eve"].iter().any(|end| id.ends_with(end)))
    {
        // Whoever has the place and takes nothing for a second makes room, if this is so slow.
        let busy = (0..TRIES_MAX).find_map(|_| {
            let held = with(&good, |builder| builder);
            let held = served.runtime.block_on(served.router.clone().oneshot(held)).unwrap();
            let answer = served.ask(with(&good, |builder| builder));
            drop(held);
            (answer.status == 503).then_some(answer)
        });
        assert_eq!(witness.document.problem(good.0, &busy.unwrap()), None);
        witness.seen.insert((good.0.to_owned(), 503));
    }
}

/// The only place for a handler is taken.
fn see_busy_runs(witness: &mut Witness) {
    let store = temporary();
    store.system_tasks().register("wait", "").unwrap();
    let uuid = rows::uuid(&store, "wait");
    let (end, ended) = mpsc::channel::<()>();
    let ended = std::sync::Mutex::new(ended);
    let wait = move |_| assert!(ended.lock().unwrap().recv().is_err());
    let mut busy = Witness::new(Served::with(store, http_options().runs_max(1).on_run("wait", wait)));
    let run = &all_good(uuid)[7];
    busy.see_good(run, 204);
    busy.see_good(run, 503);
    drop(end);
    witness.seen.append(&mut busy.seen);
}

#[test]
fn the_document_refuses_what_is_never_answered() {
    let store = temporary();
    rows::fill(&store);
    let witness = Witness::new(Served::with(store, http_options()));
    let list = witness.served.get("/api/v3/events/system_tasks/");
    let tasks = witness.served.post("/task/list", "");
    for (id, answer, there, instead) in [
        ("events_system_tasks_list", &list, r#""description":"Waits.""#, r#""description":null"#),
        ("events_system_tasks_list", &list, r#""log_level":"info""#, r#""log_level":"""#),
        ("events_system_tasks_list", &list, r#""uid":null,"#, ""),
        ("events_system_tasks_list", &list, r#""expires":null,"#, ""),
        ("events_system_tasks_list", &list, r#""name":"#, r#""more":1,"name":"#),
        ("events_system_tasks_list", &list, r#""logger":"#, r#""more":1,"logger":"#),
        ("events_system_tasks_list", &list, r#""count":"#, r#""more":1,"count":"#),
        ("events_system_tasks_list", &list, r#""attributes":{}"#, r#""attributes":null"#),
        ("events_system_tasks_list", &list, r#""status":"warning""#, r#""status":"running""#),
        ("task_list", &tasks, r#""state":"End""#, r#""state":"Interrupted""#),
        ("task_list", &tasks, r#""finished":"""#, r#""finished":null"#),
        ("task_list", &tasks, r#""started":"2"#, r#""started":"x"#),
        ("task_list", &tasks, r#""title":"#, r#""more":1,"title":"#),
        ("task_list", &tasks, r#""time":"#, r#""level":"info","time":"#),
        ("task_list", &tasks, r#""successful":true"#, r#""successful":false"#),
        ("task_list", &tasks, r#""successful":true"#, r#""error":null,"successful":true"#),
    ] {
        assert_eq!(witness.document.problem(id, answer), None);
        assert!(answer.body.contains(there), "{there}: {}", answer.body);
        let changed = Answer { body: answer.body.replacen(there, instead, 1), ..answer.clone() };
        assert!(witness.document.problem(id, &changed).is_some(), "{instead}");
    }
    // What refuses says why.
    for schema in ["FailureAnswer", "GenericError"] {
        for body in ["{}", "[]", r#"{"detail":1}"#, r#"{"error":{},"successful":false}"#] {
            assert!(witness.document.validate_as(schema, body).is_err(), "{schema} {body}");
        }
    }
    let teapot = Answer { status: 418, body: String::new(), ..list.clone() };
    assert_eq!(witness.document.problem("task_list", &teapot).unwrap(), "no status 418");
}
