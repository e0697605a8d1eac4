//! The task API over HTTP.

use super::Served;
use crate::support::finished;

#[test]
fn a_list_is_answered_with_its_length_and_is_never_kept() {
    let served = Served::new();
    let answer = served.post("/task/list", "");
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"result":{"tasks":[]},"successful":true}"#));
    for (name, value) in [
        ("content-type", "application/json"),
        ("content-length", "41"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
}

#[test]
fn who_dismisses_a_task_is_the_user_who_asks() {
    let served = Served::new();
    finished(&served.store, "Copy");
    let answer = served.post("/task/dismiss", r#"{"params":{"task_id":1}}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(
        answer.body.contains(r#""hidden_by":"ann""#) && answer.body.contains(r#""state":"Dismissed""#),
        "{answer:?}"
    );
}
