//! What somebody asks to be run.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use taskstore::SystemTaskStatus;
use taskstore::http::{Options, RunRequest};

use super::{ROWS, Served, detail, options};
use crate::support::temporary;

/// Options with a handler for `scan`, the requests that have reached it, and what lets one of them end.
fn blocking(options: Options) -> (Options, Receiver<RunRequest>, Sender<()>) {
    let ((begin, begun), (end, ended)) = (channel(), channel());
    let ended = Arc::new(Mutex::new(ended));
    let options = options.on_run("scan", move |request| {
        begin.send(request).unwrap();
        ended.lock().unwrap().recv().unwrap();
    });
    (options, begun, end)
}

impl Served {
    /// The path that runs a system task, which has gone well once.
    fn path_to_run(&self, name: &str, uid: Option<&str>) -> String {
        let run = self.store.system_tasks().start(name, uid).unwrap();
        let path = format!("{ROWS}{}/run/", run.uuid());
        run.finish().unwrap();
        path
    }

    fn run(&self, path: &str) -> super::Answer {
        self.send("POST", path, &[])
    }
}

#[test]
fn a_run_is_accepted_without_waiting_for_it_and_its_handler_is_called_once_with_the_row_and_the_user() {
    let (options, begun, end) = blocking(options());
    let served = Served::with(temporary(), options);
    let path = served.path_to_run("scan", Some("disk 1"));
    let answer = served.run(&path);
    assert_eq!(answer.told(), (204, ""));
    assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("", "no-store"));
    // It has not ended yet.
    let request = begun.recv().unwrap();
    assert_eq!((request.user.as_str(), request.system_task.status()), ("ann", SystemTaskStatus::Successful));
    assert_eq!(
        (request.system_task.full_name().as_str(), request.system_task.uid.as_deref()),
        ("scan:disk 1", Some("disk 1"))
    );
    assert!(path.contains(&request.system_task.uuid.to_string()));
    end.send(()).unwrap();
    drop(served);
    assert!(begun.recv().is_err(), "it was called again");
}

#[test]
fn a_body_of_any_kind_is_not_looked_at() {
    let (options, begun, end) = blocking(options());
    let served = Served::with(temporary(), options);
    end.send(()).unwrap();
    let request = super::request("POST", &served.path_to_run("scan", None)).header("content-type", "text/plain");
    assert_eq!(served.ask(request.body("anything".into()).unwrap()).status, 204);
    begun.recv().unwrap();
}

#[test]
fn what_there_is_not_cannot_be_run() {
    let served = Served::with(temporary(), options().on_run("scan", |_| panic!("nothing was found to run")));
    let path = served.path_to_run("scan", None);
    for (path, status, told) in [
        (format!("{ROWS}00000000-0000-0000-0000-000000000001/run/"), 404, "No SystemTask matches the given query."),
        (format!("{ROWS}scan/run/"), 404, "Not found."),
        (format!("{path}?status=error"), 404, "No SystemTask matches the given query."),
        (path.trim_end_matches('/').to_owned(), 404, "Not found."),
    ] {
        assert_eq!(served.run(&path).told(), (status, detail(told).as_str()), "{path}");
    }
    assert_eq!(served.run(&format!("{path}?status=bogus")).status, 400);
}

#[test]
fn what_the_application_has_registered_nothing_for_fails_with_an_empty_body_and_keeps_its_row() {
    let served = Served::with(temporary(), options().on_run("scan", drop));
    let path = served.path_to_run("scan2", None);
    let answer = served.run(&path);
    assert_eq!((answer.told(), answer.header("content-type")), ((500, ""), ""));
    assert_eq!(served.get(path.trim_end_matches("run/")).status, 200);
}

#[test]
fn more_runs_at_once_than_are_let_are_busy_and_one_that_has_ended_makes_room() {
    let (options, begun, end) = blocking(options().runs_max(2));
    let served = Served::with(temporary(), options);
    let path = served.path_to_run("scan", None);
    for _ in 0..2 {
        assert_eq!(served.run(&path).status, 204);
        begun.recv().unwrap();
    }
    let busy = served.run(&path);
    assert_eq!(busy.told(), (503, detail("The store is busy. Try again.").as_str()));
    assert_eq!(busy.header("retry-after"), "1");
    end.send(()).unwrap();
    super::until(|| served.run(&path).status == 204);
    begun.recv().unwrap();
    assert_eq!(served.run(&path).status, 503);
    drop(end);
}

#[test]
fn a_handler_that_panics_harms_nobody_and_gives_its_place_back() {
    let options = options().runs_max(1).on_run("scan", |_| panic!("a bug of the application"));
    let served = Served::with(temporary(), options);
    let path = served.path_to_run("scan", None);
    for _ in 0..3 {
        super::until(|| served.run(&path).status == 204);
    }
    assert_eq!(served.get(ROWS).status, 200);
}
