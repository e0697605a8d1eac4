//! What the system-task API is asked to answer with.

use super::{ROWS, Served, detail};

const JSON_ACCEPTED: [&[&str]; 10] = [
    &[],
    &["*/*"],
    &["application/json"],
    &["Application/JSON"],
    &["application/*"],
    &["application/json; charset=utf-8"],
    &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
    &["text/html , application/json;q=0.1"],
    &["text/html", "application/json"],
    &["application/json;indent=4"],
];

const JSON_NOT_ACCEPTED: [&[&str]; 6] =
    [&["text/html"], &[""], &["application/xml"], &["text/*"], &["application/jsonx"], &["text/html", "text/plain"]];

#[test]
fn json_is_what_there_is() {
    let served = Served::new();
    let answer = |accepted: &[&str]| {
        served.send("GET", ROWS, &accepted.iter().map(|range| ("accept", *range)).collect::<Vec<_>>())
    };
    for accepted in JSON_ACCEPTED {
        assert_eq!(answer(accepted).status, 200, "{accepted:?}");
    }
    let refused = detail("Could not satisfy the request Accept header.");
    for accepted in JSON_NOT_ACCEPTED {
        assert_eq!(answer(accepted).told(), (406, refused.as_str()), "{accepted:?}");
    }
}

#[test]
fn the_task_api_does_not_look_at_it() {
    assert_eq!(Served::new().send("POST", "/task/list", &[("accept", "text/html")]).status, 200);
}
