//! What any bytes must not break: no panic, and an answer or a typed refusal. The tests and the fuzzer in `fuzz/` share this
//! file, which uses nothing but the public API.
//!
//! To add a target: a function of bytes here, its name in [`TARGETS`], a directory of that name with a file or two in
//! `corpus/`, and a file in `fuzz/fuzz_targets/` with its entry in `fuzz/Cargo.toml`.

use std::cell::RefCell;

use serde_json::value::RawValue;
use taskstore::wire::{system_task_api, task_api};
use taskstore::{
    Attributes, ConfigurationId, Cursor, Dismissed, Error, Level, LogEvent, LogLevel, NewTask, Order, Result, RunId,
    RunOptions, SystemTaskFilter, TaskFilter, TaskId, TaskStore,
};

/// Panics if the bytes break what they must not.
pub type Target = fn(&[u8]);

/// All targets, by their names.
pub const TARGETS: &[(&str, Target)] = &[
    ("attributes", attributes),
    ("cursors", cursors),
    ("filters", filters),
    #[cfg(feature = "http")]
    ("http", http),
    ("ids", ids),
    ("imports", imports),
    ("system_task_queries", system_task_queries),
    ("task_requests", task_requests),
    ("texts", texts),
];

thread_local! {
    /// A few tasks of each outcome, with messages; and system tasks. What a target adds it takes away again.
    static STORE: TaskStore = filled();
}

fn filled() -> TaskStore {
    let store = TaskStore::open_in_memory().expect("a store in memory opens");
    let filled = store.batch(|batch| {
        let configuration = batch.add_configuration("prod")?;
        for number in 0..6 {
            let id = batch.start_detached(NewTask::new(format!("Task {number}")).configuration(configuration))?;
            batch.message(id, Level::Warn, format!("message {number}"))?;
            match number % 3 {
                0 => batch.finish(id)?,
                1 => batch.fail(id, "reason")?,
                _ => {}
            }
            let run = batch.start_run(format!("job {number}"), Some("ann"), RunOptions::new())?;
            batch.finish_run(&run)?;
        }
        Ok::<_, Error>(())
    });
    filled.expect("a store in memory takes what is right");
    store
}

/// An error that names what is wrong with an input, and none of the store or of SQLite.
fn assert_refusal<T>(answer: Result<T>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(
            error @ (Error::TooLong { .. }
            | Error::Invalid { .. }
            | Error::OutOfRange { .. }
            | Error::InvalidCursor { .. }
            | Error::NotFound { .. }
            | Error::NoSuchSystemTask { .. }
            | Error::WrongState { .. }),
        ) => {
            assert!(!error.to_string().is_empty());
            None
        }
        Err(error) => panic!("not a refusal: {error:?}"),
    }
}

/// The bytes as text; what is not UTF-8 is replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The bytes between separators, as texts.
fn parts(bytes: &[u8], separator: u8) -> impl Iterator<Item = String> {
    bytes.split(move |byte| *byte == separator).map(text)
}

/// A cursor of any text, and a real one with some of its bytes changed, in every list.
pub fn cursors(bytes: &[u8]) {
    STORE.with(|store| {
        let orders = [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated];
        let lists = orders.map(|order| TaskFilter::new().dismissed(Dismissed::Included).order(order).limit(2));
        let bend = |real: &Cursor| {
            let mut bent = real.to_string().into_bytes();
            let length = bent.len().max(1);
            for pair in bytes.chunks_exact(2) {
                if let Some(byte) = bent.get_mut(usize::from(pair[0]) % length) {
                    *byte ^= pair[1];
                }
            }
            [text(&bent), text(bytes)].map(|text| parse::<Cursor>(&text))
        };
        for filter in lists {
            let real = store.list(&filter).expect("the list is right").next.expect("there is a second page");
            for cursor in bend(&real) {
                assert_refusal(store.list(&filter.clone().cursor(cursor)));
            }
        }
        let filter = SystemTaskFilter::new().limit(2);
        let page = store.system_tasks().list(&filter).expect("the list is right");
        for cursor in bend(&page.next.expect("there is a second page")) {
            assert_refusal(store.system_tasks().history(page.items[0].uuid, Some(&cursor), 1));
            assert_refusal(store.system_tasks().list(&filter.clone().after(cursor)));
        }
    });
}

fn parse<T: std::str::FromStr<Err = std::convert::Infallible>>(text: &str) -> T {
    match text.parse() {
        Ok(value) => value,
        Err(never) => match never {},
    }
}

/// Bodies of the task API: what is read is answered with JSON, what is not with a text.
pub fn task_requests(bytes: &[u8]) {
    let member = task_api::DismissedMember::HiddenBy;
    STORE.with(|store| {
        match task_api::ListRequest::parse(bytes) {
            Ok(request) => assert_json(|out| task_api::write_list(store, request, member, out)),
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
        }
        match task_api::TaskRequest::parse(bytes) {
            Ok(request) => assert_json(|out| task_api::write_task(store, request.task()?, member, out)),
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
        }
        if let Err(refusal) = task_api::DismissAllRequest::parse(bytes) {
            assert!(!refusal.to_string().is_empty());
        }
    });
}

/// Query strings of the system-task API, `name=value&…` without escapes; the first part is also taken for a uuid.
pub fn system_task_queries(bytes: &[u8]) {
    let parameters: Vec<_> = parts(bytes, b'&')
        .map(|part| part.split_once('=').map_or_else(|| (part.clone(), String::new()), |(n, v)| (n.into(), v.into())))
        .collect();
    let pairs = || parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    STORE.with(|store| {
        match system_task_api::ListRequest::parse(pairs()) {
            Ok(request) => assert_json(|out| system_task_api::write_list(store, &request, out)),
            Err(refusal) => assert!(!refusal.to_string().is_empty()),
        }
        let real = store.system_tasks().find("job 0", Some("ann")).expect("reading works").expect("it is there");
        for uuid in [parameters[0].0.as_str(), &real.to_string()] {
            match system_task_api::RetrieveRequest::parse(uuid, pairs()) {
                Ok(request) => {
                    assert_refusal(request.system_task(store));
                    assert_json(|out| system_task_api::write_system_task(store, &request, out));
                }
                Err(refusal) => assert!(!refusal.to_string().is_empty()),
            }
        }
    });
}

/// What is written is JSON, or nothing is written and the error is a refusal.
fn assert_json(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) {
    let mut body = Vec::new();
    match assert_refusal(write(&mut body)) {
        Some(()) => {
            serde_json::from_slice::<serde::de::IgnoredAny>(&body).expect("an answer is JSON");
        }
        None => assert_eq!(body, b""),
    }
}

/// Texts of filters: every list answers, or refuses the text.
pub fn filters(bytes: &[u8]) {
    // What a search costs grows with its length, and so many are made: a longer one would only take longer.
    let bytes = &bytes[..bytes.len().min(4 << 10)];
    let texts: Vec<_> = parts(bytes, b'\n').take(4).collect();
    let text = |place: usize| texts[place % texts.len()].clone();
    let all = || TaskFilter::new().dismissed(Dismissed::Included).limit(10);
    STORE.with(|store| {
        for filter in [
            all().title(text(0)),
            all().message(text(1)),
            all().text(text(2)),
            all().performed_by(text(3)),
            all().dismissed_by(text(0)),
            all().title(text(0)).message(text(1)).text(text(2)).performed_by(text(3)),
        ] {
            assert_refusal(store.list(&filter));
            assert_refusal(store.export_tasks(&filter, std::io::sink()));
        }
        let all = || SystemTaskFilter::new().limit(10);
        for filter in [all().search(text(0)), all().name(text(1)), all().uid(text(2)), all().name(text(0)).uid(text(1))]
        {
            assert_refusal(store.system_tasks().list(&filter));
        }
        assert_refusal(store.system_tasks().find(&text(0), Some(&text(1))));
    });
}

/// Texts wherever one may stand: each comes back to the byte, or is refused and nothing is written.
pub fn texts(bytes: &[u8]) {
    let text = text(bytes);
    STORE.with(|store| {
        let new = NewTask::new(text.clone()).performed_by(text.clone());
        let id = match assert_refusal(store.start_detached(new)) {
            Some(id) => {
                let task = store.task(id).expect("it was just started");
                assert!(task.title == text && task.performed_by == text);
                id
            }
            None => store.start_detached(NewTask::new("plain")).expect("it is right"),
        };
        let mut expected = Vec::new();
        let mut said = |answer: Result<()>| {
            if assert_refusal(answer).is_some() {
                expected.push(text.clone());
            }
        };
        said(store.message(id, Level::Info, text.as_str()));
        said(store.message_once(id, text.as_str(), Level::Info, text.as_str()));
        if assert_refusal(store.fail(id, text.as_str())).is_none() {
            store.finish(id).expect("it is in progress");
        } else if !text.is_empty() {
            expected.push(text.clone());
        }
        let found: Vec<_> =
            store.messages(id, 0, 10).expect("it is there").into_iter().map(|message| message.text).collect();
        assert!(found == expected);
        if assert_refusal(store.dismiss(id, text.as_str())).is_some() {
            assert!(store.task(id).expect("it is there").dismissed_by.as_ref() == Some(&text));
        }
        store.delete(id).expect("it has ended");

        let undone = store.batch(|batch| {
            if let Some(run) = assert_refusal(batch.start_run(text.as_str(), Some(&text), RunOptions::new())) {
                let event = LogEvent::new(LogLevel::Info, text.as_str()).logger(text.as_str());
                assert_refusal(batch.log(&run, event));
            }
            assert_refusal(batch.add_configuration(text.as_str()));
            assert_refusal(batch.start_detached(NewTask::new("keyed").key(text.as_str())));
            assert_refusal(batch.register_system_task(text.as_str(), text.as_str()));
            Err::<(), _>(Error::Closed)
        });
        assert!(matches!(undone, Err(Error::Closed)));
    });
}

/// Attributes of a log event: a JSON object comes back to the byte, anything else is refused.
pub fn attributes(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice::<Box<RawValue>>(bytes) else { return };
    let Some(attributes) = assert_refusal(Attributes::new(&json)) else { return };
    let given = if json.get() == "null" { "{}" } else { json.get() };
    assert!(attributes.as_str() == given);
    STORE.with(|store| {
        let run = store.system_tasks().start_with("fuzz", None, RunOptions::new()).expect("it is right");
        let event = LogEvent::new(LogLevel::Info, "e").attributes(&json).expect("they were right above");
        let is_stored = assert_refusal(run.log(event)).is_some();
        let (id, uuid) = (run.id(), run.uuid());
        run.finish().expect("it is in progress");
        let events = store.system_tasks().events(id, 0, 10).expect("it is there");
        assert_eq!(events.len(), usize::from(is_stored));
        assert!(events.iter().all(|event| event.attributes.as_str() == given));
        let request = system_task_api::RetrieveRequest::new(uuid);
        assert_json(|out| system_task_api::write_system_task(store, &request, out));
    });
}

/// Ids as text and as JSON: what is read is written the same.
pub fn ids(bytes: &[u8]) {
    let text = text(bytes);
    if let Some(id) = assert_refusal(text.parse::<TaskId>()) {
        assert_eq!(id.to_string().parse::<TaskId>().expect("it was written by an id"), id);
        STORE.with(|store| assert_refusal(store.task(id)));
    }
    assert_refusal(text.parse::<ConfigurationId>());
    assert_refusal(text.parse::<RunId>());
    if let Ok(id) = serde_json::from_slice::<TaskId>(bytes) {
        assert_eq!(serde_json::to_string(&id).expect("an id is JSON"), id.to_string());
    }
    let _ = text.parse::<Level>();
    let _ = system_task_api::parse_uuid(&text);
}

thread_local! {
    /// What is imported comes here. A store that has taken an import is not used again.
    static TARGET: RefCell<TaskStore> = RefCell::new(filled());
}

/// The lines of an export: they are imported whole, into a store that is sound and that can be exported and imported again,
/// or refused, and nothing has changed.
pub fn imports(bytes: &[u8]) {
    TARGET.with_borrow_mut(|target| {
        let before = exported(target);
        match target.import(bytes) {
            Ok(_) => {
                assert_eq!(target.check().expect("the store is whole"), []);
                let again = TaskStore::open_in_memory().expect("a store in memory opens");
                again.import(exported(target).as_slice()).expect("an export is imported");
                *target = filled();
            }
            Err(Error::ImportRefused { source, .. }) => {
                assert!(!source.to_string().is_empty());
                assert!(exported(target) == before);
            }
            Err(error) => panic!("not a refusal: {error:?}"),
        }
    });
}

fn exported(store: &TaskStore) -> Vec<u8> {
    let mut lines = Vec::new();
    store.export(&mut lines).expect("the store is whole");
    lines
}

#[cfg(feature = "http")]
thread_local! {
    /// The router of the store, and what it runs in.
    static SERVED: (axum::Router, tokio::runtime::Runtime) = served();
}

#[cfg(feature = "http")]
fn served() -> (axum::Router, tokio::runtime::Runtime) {
    use axum::http::request::Parts;
    use taskstore::http::{Options, Rights, Unauthenticated, User, router};

    let anybody = |_: &Parts| Ok::<_, Unauthenticated>(User::new("ann", Rights::ALL));
    // To run a job that has no handler is an error of the server, as published.
    let options = (0..6).fold(Options::new(anybody), |options, number| options.on_run(format!("job {number}"), |_| {}));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    (STORE.with(|store| router(store.clone(), options.openapi(true))), runtime)
}

/// A request to the router: the method, the path and query, headers to an empty line, and the body, each behind a line
/// break. No answer blames the server.
#[cfg(feature = "http")]
pub fn http(bytes: &[u8]) {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt;

    let mut lines = bytes.splitn(3, |byte| *byte == b'\n');
    let (method, target) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut request = Request::builder().method(method).uri(target).header("host", "localhost");
    let mut rest = lines.next().unwrap_or_default();
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, behind) = (&rest[..end], &rest[end + 1..]);
        rest = behind;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        request = request.header(&line[..colon], &line[colon + 1..]);
    }
    // What the http crate itself refuses is no request.
    let Ok(request) = request.body(Body::from(rest.to_vec())) else { return };
    SERVED.with(|(router, runtime)| {
        runtime.block_on(async {
            let Ok(answer) = router.clone().oneshot(request).await;
            let status = answer.status();
            let body = to_bytes(answer.into_body(), usize::MAX).await.expect("the answer is whole");
            assert!(!status.is_server_error(), "{status}: {}", String::from_utf8_lossy(&body));
        });
    });
}
