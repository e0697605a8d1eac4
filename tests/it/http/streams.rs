//! Answers that are too long to be collected.

use std::os::unix::fs::FileExt;
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, Response};
use http_body_util::BodyExt;
use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list};
use taskstore::{Level, TaskId, TaskStore};

use super::{ROWS, Served, ask, begun, options, post, request, runtime};
use crate::support::children::{GROWTH_KIB_MAX, growth, role, say_measure};
use crate::support::{open, start, temporary};

const MESSAGE_BYTES: usize = 100_000;

/// Writes so many messages of 100 kB.
fn fill(store: &TaskStore, id: TaskId, messages: usize) {
    let text = "x".repeat(MESSAGE_BYTES);
    store.batch(|batch| (0..messages).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))).unwrap();
}

/// A store with one ended task, of so many messages.
pub(super) fn filled(store: TaskStore, messages: usize) -> TaskStore {
    let id = start(&store, "long");
    fill(&store, id, messages);
    store.finish(id).unwrap();
    store
}

pub(super) fn list() -> Request<Body> {
    post("/task/list", "")
}

/// Reads an answer to its end: how many bytes it had, and whether that was all.
pub(super) async fn drained(response: Response<Body>) -> (usize, Result<(), axum::Error>) {
    let (mut body, mut bytes) = (response.into_body(), 0);
    loop {
        match body.frame().await {
            None => return (bytes, Ok(())),
            Some(Ok(frame)) => bytes += frame.into_data().unwrap().len(),
            Some(Err(error)) => return (bytes, Err(error)),
        }
    }
}

#[test]
fn a_long_list_arrives_as_the_store_writes_it_and_a_short_one_has_its_length() {
    for new in [temporary as fn() -> TaskStore, || TaskStore::open_in_memory().unwrap()] {
        for (messages, is_short) in [(1, true), (2, true), (3, false), (50, false)] {
            let served = Served::with(filled(new(), messages), options());
            let mut whole = Vec::new();
            write_list(&served.store, ListRequest::default(), DismissedMember::HiddenBy, &mut whole).unwrap();
            let answer = served.ask(list());
            assert!(answer.body.as_bytes() == whole && answer.status == 200, "{messages}");
            let length = if is_short { whole.len().to_string() } else { String::new() };
            assert_eq!(
                (answer.header("content-length"), answer.header("content-type")),
                (&*length, "application/json")
            );
            assert_eq!(answer.header("cache-control"), "no-store");
        }
    }
}

#[test]
fn each_piece_is_short_however_much_comes_at_once() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let served = Served::with(store, options());
        let id = start(&served.store, "t");
        served.store.message(id, Level::Info, "x".repeat(1 << 20)).unwrap();
        served.runtime.block_on(async {
            let mut body = begun(&served.router, list()).await.into_body();
            let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(first.len() <= 256 << 10, "{}", first.len());
            while let Some(frame) = body.frame().await {
                let piece = frame.unwrap().into_data().unwrap();
                assert!(piece.len() <= 64 << 10, "{}", piece.len());
            }
        });
    }
}

#[test]
fn a_long_page_of_system_tasks_is_streamed_too() {
    let served = Served::new();
    let run = served.store.system_tasks().start("scan", None).unwrap();
    for _ in 0..4 {
        run.info("x".repeat(MESSAGE_BYTES), ()).unwrap();
    }
    let row = format!("{ROWS}{}/", run.uuid());
    run.finish().unwrap();
    for path in [ROWS, &row] {
        let answer = served.get(path);
        assert_eq!((answer.status, answer.header("content-length")), (200, ""));
        assert!(answer.body.len() > 4 * MESSAGE_BYTES && answer.json().is_object());
    }
}

#[test]
fn a_reader_that_goes_away_gives_its_place_to_the_next() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let served = Served::with(filled(store, 50), options().streams_max(1));
        served.runtime.block_on(async {
            for _ in 0..3 {
                let gone = begun(&served.router, list()).await;
                assert_eq!(gone.status(), 200);
                drop(gone);
                let begun_at = std::time::Instant::now();
                while ask(&served.router, list()).await.status != 200 {
                    assert!(begun_at.elapsed().as_secs() < 60, "the place is still taken");
                }
            }
        });
    }
}

#[test]
fn the_head_of_a_long_answer_takes_no_place_for_long() {
    let served = Served::with(filled(temporary(), 50), options().streams_max(1));
    let run = served.store.system_tasks().start("scan", None).unwrap();
    for _ in 0..20 {
        run.info("x".repeat(MESSAGE_BYTES), ()).unwrap();
    }
    run.finish().unwrap();
    let head = || served.ask(request("HEAD", ROWS).body(Body::empty()).unwrap());
    for _ in 0..3 {
        super::until(|| head().status == 200);
    }
    assert_eq!((head().body.as_str(), head().header("content-length")), ("", ""));
}

#[test]
fn more_long_answers_at_once_than_are_let_are_busy_and_short_ones_go_on() {
    let served = Served::with(filled(temporary(), 50), options().streams_max(2).calls_max(1));
    served.runtime.block_on(async {
        // What is being read is not idle: nobody waits here for a second.
        let (one, two) = (begun(&served.router, list()).await, begun(&served.router, list()).await);
        // They hold no permit to read, of which there is one.
        let rows = request("GET", ROWS).body(Body::empty()).unwrap();
        assert_eq!(ask(&served.router, rows).await.status, 200);
        drop((one, two));
    });
}

/// Whoever were told to try again would be refused: the task is dismissed then.
#[test]
fn a_change_is_answered_also_where_there_is_no_place_for_a_long_answer() {
    let served = Served::with(filled(temporary(), 50), options().streams_max(1).calls_max(1));
    served.runtime.block_on(async {
        let reading = begun(&served.router, list()).await;
        for path in ["/task/dismiss", "/task/restore"] {
            let answer = ask(&served.router, post(path, r#"{"params":{"task_id":1}}"#)).await;
            assert!(answer.status == 200 && answer.body.len() > 50 * MESSAGE_BYTES, "{path}: {}", answer.status);
        }
        drop(reading);
    });
}

#[test]
fn a_store_that_fails_in_the_midst_of_an_answer_cuts_it_off() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let (oldest, newest) = (start(&store, "read last"), start(&store, "read first"));
    fill(&store, newest, 10);
    // The first of many, since what the search for the newest's comes by is read whole.
    store.message(oldest, Level::Info, "y".repeat(MESSAGE_BYTES)).unwrap();
    fill(&store, oldest, 10);
    store.close().unwrap();
    overwrite_what_is_y(&path);
    let served = Served::with(open(&path), options());
    served.runtime.block_on(async {
        let response = begun(&served.router, list()).await;
        assert_eq!(response.status(), 200);
        let (bytes, end) = drained(response).await;
        assert!(bytes > 10 * MESSAGE_BYTES, "{bytes}");
        // The server, whose connection ends with it, is told why.
        let error = end.unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
    });
}

/// Overwrites all pages of a text that is nothing but `y`.
fn overwrite_what_is_y(path: &Path) {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    for page in 0..file.metadata().unwrap().len() / 4096 {
        let mut bytes = [0; 4096];
        file.read_exact_at(&mut bytes, page * 4096).unwrap();
        if bytes[4..].iter().all(|byte| *byte == b'y') {
            file.write_all_at(&[0xa5; 4096], page * 4096).unwrap();
        }
    }
}

/// Not a test of its own: the process that is measured.
#[test]
fn the_measured_process() {
    let Some((role, path)) = role() else { return };
    let router = taskstore::http::router(open(&path), options());
    let bytes = runtime().block_on(async {
        let response = begun(&router, list()).await;
        if role == "collect" {
            return response.into_body().collect().await.unwrap().to_bytes().len();
        }
        let (bytes, end) = drained(response).await;
        end.unwrap();
        bytes
    });
    say_measure(bytes);
}

#[test]
fn a_long_answer_takes_memory_that_does_not_grow_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let [small, large] = ["small.db", "large.db"].map(|name| directory.path().join(name));
    drop(filled(open(&small), 100));
    drop(filled(open(&large), 400));
    let growth = |role| growth("http::streams::the_measured_process", role, &small, &large);
    let (more_kib, more_bytes) = growth("drain");
    assert!(more_bytes >= 300 * MESSAGE_BYTES as u64, "{more_bytes} bytes");
    assert!(more_kib < GROWTH_KIB_MAX, "{more_kib} KiB for {more_bytes} bytes");
    // What it takes to hold it: the measure shows it.
    let (more_kib, more_bytes) = growth("collect");
    assert!(
        more_kib > GROWTH_KIB_MAX && more_kib + GROWTH_KIB_MAX > more_bytes >> 10,
        "{more_kib} KiB for {more_bytes} bytes"
    );
}
