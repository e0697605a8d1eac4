//! Who may do what, and in which order a request is looked at.

use axum::body::Body;
use axum::http::Request;
use taskstore::http::{Rights, User};

use super::{ROWS, Served, bare, detail, failure, options};
use crate::support::{finished, temporary};

const SETS: [&str; 8] = ["", "view", "dismiss", "run", "view,dismiss", "view,run", "dismiss,run", "view,dismiss,run"];
const NOT_PERMITTED: &str = "You do not have permission to perform this action.";

/// What a user gets who is told so by the test's headers.
fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = bare(method, path).header("host", "localhost").header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(r#"{"params":{"task_id":1}}"#.into()).unwrap()
}

#[test]
fn every_operation_takes_its_rights_and_no_others() {
    for (method, path, needed) in [
        ("POST", "/task/list", "view"),
        ("POST", "/task/show", "view"),
        ("POST", "/task/dismiss", "view,dismiss"),
        ("POST", "/task/restore", "view,dismiss"),
        ("POST", "/task/dismiss_all", "view,dismiss"),
        ("GET", ROWS, "view"),
        ("GET", "/api/v3/events/system_tasks/{uuid}/", "view"),
        ("POST", "/api/v3/events/system_tasks/{uuid}/run/", "view,run"),
    ] {
        for rights in SETS {
            let served = Served::with(temporary(), options().on_run("scan", drop));
            finished(&served.store, "t");
            if path == "/task/restore" {
                served.store.dismiss(crate::support::task_id(1), "bob").unwrap();
            }
            let run = served.store.system_tasks().start("scan", None).unwrap();
            let path = path.replace("{uuid}", &run.uuid().to_string());
            run.finish().unwrap();
            let before = crate::support::everything(&served.store);
            let answer = served.ask(asked(method, &path, &[("x-user", "ann"), ("x-rights", rights)]));
            if rights.parse::<Rights>().unwrap().contains(needed.parse().unwrap()) {
                assert!(matches!(answer.status, 200 | 204), "{path} with {rights:?}: {answer:?}");
                continue;
            }
            let refused = match method {
                "POST" if path.starts_with("/task") => failure("the user has no right to do this"),
                _ => detail(NOT_PERMITTED),
            };
            assert_eq!(answer.told(), (403, refused.as_str()), "{path} with {rights:?}");
            assert_eq!(crate::support::everything(&served.store), before);
        }
    }
}

#[test]
fn nobody_is_401_in_the_task_api_with_the_scheme_that_is_taken() {
    let served = Served::new();
    for path in ["list", "show", "dismiss", "restore", "dismiss_all"] {
        for user in [&[][..], &[("x-user", "a bad token")], &[("x-user", "a password")]] {
            let answer = served.ask(asked("POST", &format!("/task/{path}"), user));
            assert_eq!(answer.told(), (401, failure("valid credentials are needed").as_str()));
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[test]
fn nobody_is_403_in_the_system_task_api_and_is_told_why() {
    let served = Served::new();
    let row = format!("{ROWS}00000000-0000-0000-0000-000000000001/");
    for (method, path) in [("GET", ROWS.to_owned()), ("GET", row.clone()), ("POST", format!("{row}run/"))] {
        for (user, told) in [
            (&[][..], "Authentication credentials were not provided."),
            (&[("x-user", "a bad token")], "Token invalid/expired"),
            (&[("x-user", "a password")], "Unsupported authentication type"),
        ] {
            let answer = served.ask(asked(method, &path, user));
            assert_eq!(answer.told(), (403, detail(told).as_str()), "{path}");
            assert_eq!(answer.header("www-authenticate"), "");
        }
    }
}

/// Each request has all the faults that are left, and is refused for the first of them.
#[test]
fn the_system_task_api_looks_at_a_request_in_the_published_order() {
    let served = Served::new();
    let nothing = "/api/v3/events/system_tasks/no-uuid/?status=bogus";
    let ann = ("x-user", "ann");
    for (method, path, wrong_method) in [
        ("GET", nothing, false),
        ("POST", "/api/v3/events/system_tasks/no-uuid/run/?status=bogus", false),
        ("GET", "/api/v3/events/system_tasks/?status=bogus", false),
        ("DELETE", nothing, true),
        ("GET", "/api/v3/events/system_tasks/no-uuid/run/?status=bogus", true),
        ("POST", "/api/v3/events/system_tasks/?status=bogus", true),
    ] {
        let status = |headers: &[_]| served.ask(asked(method, path, headers)).status;
        let told = |headers: &[_]| served.ask(asked(method, path, headers)).body;
        assert_eq!(status(&[("accept", "text/html"), ("origin", "http://evil.example")]), 403, "{method} {path}");
        assert_eq!(status(&[("accept", "text/html")]), 406, "{method} {path}");
        assert_eq!(told(&[]), detail("Authentication credentials were not provided."), "{method} {path}");
        assert_eq!(told(&[ann, ("x-rights", "dismiss,run")]), detail(NOT_PERMITTED), "{method} {path}");
        assert_eq!(status(&[ann]), if wrong_method { 405 } else { 400 }, "{method} {path}");
    }
    // Then the filters, then the row.
    assert_eq!(served.get("/api/v3/events/system_tasks/no-uuid/").status, 404);
}

#[test]
fn a_path_that_there_is_not_is_told_to_nobody_too() {
    let served = Served::new();
    for (path, status) in [("/x", 404), ("/task/x", 404), ("/api/v3/events/system_tasks", 404)] {
        assert_eq!(served.ask(asked("GET", path, &[])).status, status);
    }
    assert_eq!(served.ask(asked("GET", "/task/list", &[])).status, 405);
}

#[test]
fn the_user_is_told_to_the_application_with_what_the_store_was_asked() {
    let served = Served::new();
    let user = |path: &str, body: &str| served.post(path, body).extensions.get::<User>().cloned();
    let ann = Some(User::new("ann", Rights::ALL));
    assert_eq!(user("/task/list", ""), ann);
    assert_eq!(user("/task/show", r#"{"params":{"task_id":9}}"#), ann);
    assert_eq!(served.get(ROWS).extensions.get::<User>().cloned(), ann);
    let run = format!("{ROWS}00000000-0000-0000-0000-000000000001/run/");
    assert_eq!(user(&run, ""), ann);
    assert_eq!(user("/task/list", "["), None);
}
