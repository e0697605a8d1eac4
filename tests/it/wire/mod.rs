//! The task API's JSON, to the byte. The tests follow the decisions on what its published page leaves open.

mod envelope;
mod reading;
mod requests;
mod streams;
mod tasks;

use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list, write_task};
use taskstore::{TaskId, TaskStore};

use crate::support::{ManualClock, Nanoseconds as _, options};

/// The answer's sample on the published page.
const SEED: &str = r#"{ "error": { "message": "string" }, "result": { "tasks": [ { "configuration_id": 1, "configuration_name": "string", "hidden_by": "string", "finished": "2024-07-31T13:57:42.000123456Z", "messages": [ { "message": "string", "time": "2024-07-31T13:57:42.000123456Z" } ], "performed_by": "string", "started": "2024-07-31T13:57:42.000123456Z", "state": "In Progress", "task_id": 1, "title": "string", "updated": "2024-07-31T13:57:42.000123456Z" } ] }, "successful": true }"#;

/// The time of the sample.
const SEED_NS: i64 = 1_722_434_262_000_123_456;

/// A store whose clock stands at the time of the sample.
fn store() -> (TaskStore, ManualClock) {
    let clock = ManualClock::at_ns(SEED_NS);
    (options().clock(clock.clone()).open_temporary().unwrap(), clock)
}

/// The answer to `/task/list` with this body.
fn list(store: &TaskStore, body: &str) -> String {
    let mut answer = Vec::new();
    let request = ListRequest::parse(body.as_bytes()).unwrap();
    write_list(store, request, DismissedMember::HiddenBy, &mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// The answer to `/task/show` of this task.
fn show(store: &TaskStore, id: TaskId, member: DismissedMember) -> String {
    let mut answer = Vec::new();
    write_task(store, id, member, &mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

/// The ids in an answer to `/task/list`, in its order.
fn ids(answer: &str) -> Vec<i64> {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    answer["result"]["tasks"].as_array().unwrap().iter().map(|task| task["task_id"].as_i64().unwrap()).collect()
}

/// The names of all members in a JSON text, in its order.
fn members(json: &str) -> Vec<&str> {
    let mut members = Vec::new();
    let mut rest = json;
    while let Some((_, quoted)) = rest.split_once('"') {
        let (text, behind) = quoted.split_once('"').unwrap();
        if behind.starts_with(':') {
            members.push(text);
        }
        rest = behind;
    }
    members
}
