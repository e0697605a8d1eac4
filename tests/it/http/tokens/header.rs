//! What is presented, and what is answered to it.

use axum::http::Method;
use taskstore::http::Rights;

use super::{Guarded, LIST, SYSTEM_TASKS, bearer};
use crate::support::finished;

const NOT_AUTHENTICATED: &str = r#"{"error":{"message":"valid credentials are needed"},"successful":false}"#;
const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";
const INVALID_TOKEN: &str = "Token invalid/expired";
const UNSUPPORTED: &str = "Unsupported authentication type";

/// Both APIs refuse these values of `Authorization`, each in its manner.
fn must_be_refused(guarded: &Guarded, authorizations: &[&[u8]], detail: &str) {
    let shown: Vec<_> = authorizations.iter().map(|value| value.escape_ascii().to_string()).collect();
    let answer = guarded.ask(Method::POST, LIST, authorizations, "");
    assert_eq!((answer.status, answer.body.as_str()), (401, NOT_AUTHENTICATED), "{shown:?}");
    assert_eq!(answer.headers["www-authenticate"], "Bearer");

    let answer = guarded.ask(Method::GET, SYSTEM_TASKS, authorizations, "");
    assert_eq!((answer.status, answer.body), (403, format!(r#"{{"detail":"{detail}"}}"#)), "{shown:?}");
    assert!(!answer.headers.contains_key("www-authenticate"));
}

#[test]
fn a_token_of_the_file_is_let_in_by_both_apis_however_its_scheme_is_written() {
    let guarded = Guarded::new();
    let token = guarded.add("ann", Rights::VIEW);
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR   ", " Bearer "] {
        let header = format!("{scheme}{token} ");
        for (method, path) in [(Method::POST, LIST), (Method::GET, SYSTEM_TASKS)] {
            let answer = guarded.ask(method, path, &[header.as_bytes()], "");
            assert_eq!(answer.status, 200, "{scheme:?}: {answer:?}");
        }
    }
}

#[test]
fn a_request_without_a_header_of_two_words_has_no_credentials() {
    let guarded = Guarded::new();
    let token = guarded.add("ann", Rights::ALL);
    must_be_refused(&guarded, &[], NO_CREDENTIALS);
    for header in ["", " ", "Bearer", "Bearer ", "Bearer   ", "Basic", token.as_str()] {
        must_be_refused(&guarded, &[header.as_bytes()], NO_CREDENTIALS);
    }
}

#[test]
fn credentials_of_another_kind_are_not_taken() {
    let guarded = Guarded::new();
    let token = guarded.add("ann", Rights::ALL);
    for scheme in ["Basic", "Token", "Bearers", "Beare", "Bearer:", "Bearer,", "\u{ff22}earer", "Digest Bearer"] {
        must_be_refused(&guarded, &[format!("{scheme} {token}").as_bytes()], UNSUPPORTED);
    }
}

#[test]
fn two_headers_are_refused_whatever_they_are() {
    let guarded = Guarded::new();
    let right = bearer(&guarded.add("ann", Rights::ALL));
    for other in [right.as_str(), "Bearer x", "Basic eDp5", ""] {
        must_be_refused(&guarded, &[right.as_bytes(), other.as_bytes()], UNSUPPORTED);
        must_be_refused(&guarded, &[other.as_bytes(), right.as_bytes()], UNSUPPORTED);
    }
}

#[test]
fn what_is_nearly_a_token_is_none() {
    let guarded = Guarded::new();
    let token = guarded.add("ann", Rights::ALL);
    let file = super::read(&guarded.path());
    let hash = file.lines().last().unwrap().split(' ').next().unwrap();
    assert_eq!((token.len(), hash.len()), ("taskstore_".len() + 64, 64));

    let (prefix, digits) = token.split_at("taskstore_".len());
    let nearly = [
        token[..token.len() - 1].to_owned(),
        token[1..].to_owned(),
        format!("{token}0"),
        format!("{token} x"),
        format!("{token},"),
        format!("\"{token}\""),
        prefix.to_owned(),
        digits.to_owned(),
        format!("{prefix}{}", "0".repeat(64)),
        token.to_uppercase(),
        format!("{prefix}{}", digits.to_uppercase()),
        // What a thief of the file has.
        hash.to_owned(),
        format!("{prefix}{hash}"),
        "é".to_owned(),
        "x".repeat(100_000),
    ];
    for token in nearly {
        must_be_refused(&guarded, &[bearer(&token).as_bytes()], INVALID_TOKEN);
    }
    must_be_refused(&guarded, &[&[bearer(&token).as_bytes(), b"\xff"].concat()], INVALID_TOKEN);
    assert!(guarded.knows(&token), "the control");
}

#[test]
fn a_token_in_the_address_is_not_looked_at() {
    let guarded = Guarded::new();
    let token = guarded.add("ann", Rights::ALL);
    for name in ["access_token", "token", "authorization"] {
        let answer = guarded.ask(Method::GET, &format!("{SYSTEM_TASKS}?{name}={token}"), &[], "");
        assert_eq!(answer.status, 403, "{answer:?}");
    }
}

#[test]
fn each_token_is_its_users() {
    let guarded = Guarded::new();
    let names = ["ann", "Bob the Builder", "Zoë  # 2, from Köln"];
    let tokens = names.map(|name| guarded.add(name, Rights::VIEW | Rights::DISMISS));
    for (name, token) in names.into_iter().zip(&tokens) {
        let id = finished(&guarded.served.store, "Copy");
        let answer = guarded.post("/task/dismiss", token, &format!(r#"{{"params":{{"task_id":{id}}}}}"#));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(guarded.served.store.task(id).unwrap().dismissed_by.as_deref(), Some(name));
    }
}

#[test]
fn a_token_to_view_neither_dismisses_nor_runs() {
    let guarded = Guarded::new();
    let (viewer, operator) = (guarded.add("ann", Rights::VIEW), guarded.add("bob", Rights::ALL));
    let id = finished(&guarded.served.store, "Copy");
    let run = guarded.served.store.system_tasks().start("scan", None).unwrap();
    let path = format!("{SYSTEM_TASKS}{}/run/", run.uuid());
    run.finish().unwrap();

    for path in ["/task/dismiss", "/task/restore", "/task/dismiss_all"] {
        let answer = guarded.post(path, &viewer, r#"{"params":{"task_id":1}}"#);
        let body = r#"{"error":{"message":"the user has no right to do this"},"successful":false}"#;
        assert_eq!((answer.status, answer.body.as_str()), (403, body), "{path}");
    }
    assert!(guarded.served.store.task(id).unwrap().dismissed.is_none());
    let answer = guarded.post(&path, &viewer, "");
    let body = r#"{"detail":"You do not have permission to perform this action."}"#;
    assert_eq!((answer.status, answer.body.as_str()), (403, body));
    // The control: nothing is registered for it.
    assert_eq!(guarded.post(&path, &operator, "").status, 500);
    assert_eq!(guarded.post("/task/dismiss", &operator, r#"{"params":{"task_id":1}}"#).status, 200);
}
