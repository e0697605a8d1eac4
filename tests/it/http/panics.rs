//! Bugs of the application.

use axum::http::request::Parts;
use taskstore::http::{Options, User};
use taskstore::{OpenOptions, TaskStore};

use super::{ROWS, Served, detail, failure, options};
use crate::support::{finished, start, temporary};

#[test]
fn an_authenticator_that_panics_is_answered_in_the_manner_of_each_api() {
    let options = Options::new(|_: &Parts| -> Result<User, _> { panic!("secret") });
    let served = Served::with(temporary(), options.allowed_origin("https://panel.example.org").unwrap());
    let origin = [("origin", "https://panel.example.org")];
    for (method, path, told) in [
        ("POST", "/task/list", failure("internal error")),
        ("GET", ROWS, detail("Internal error.")),
        ("DELETE", ROWS, detail("Internal error.")),
    ] {
        let answer = served.send(method, path, &origin);
        assert_eq!(answer.told(), (500, told.as_str()));
        let headers = ["content-type", "cache-control", "x-content-type-options", "access-control-allow-origin"];
        let expected = ["application/json", "no-store", "nosniff", "https://panel.example.org"];
        assert_eq!(headers.map(|name| answer.header(name)), expected);
    }
    assert_eq!(served.send("GET", "/x", &origin).status, 404);
}

/// A clock that has a bug, but for the thread of the test.
#[derive(Debug)]
struct Broken(std::thread::ThreadId);

impl taskstore::Clock for Broken {
    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        assert!(std::thread::current().id() == self.0, "secret");
        chrono::DateTime::UNIX_EPOCH
    }
}

fn with_broken_clock() -> TaskStore {
    OpenOptions::new().clock(Broken(std::thread::current().id())).open_temporary().unwrap()
}

#[test]
fn a_panic_in_the_midst_of_a_call_is_answered_and_gives_back_what_it_held() {
    let served = Served::with(with_broken_clock(), options().calls_max(1));
    finished(&served.store, "t");
    start(&served.store, "u");
    for _ in 0..3 {
        let answer = served.post("/task/dismiss", r#"{"params":{"task_id":1}}"#);
        assert_eq!(answer.told(), (500, failure("internal error").as_str()));
    }
    assert_eq!(served.post("/task/list", "").status, 200);
}
