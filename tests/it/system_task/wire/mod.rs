//! The system-task API's JSON, to the byte. The tests follow the fact sheet of the published API, table by table, and the
//! decisions on what it leaves open.

mod filters;
mod members;
mod numbers;
mod ordering;
mod pages;
mod poison;
mod reading;
mod refusals;
mod registered;
mod search;
mod streams;

use taskstore::wire::system_task_api::{ListRequest, Refusal, RetrieveRequest, write_list, write_system_task};
use taskstore::{SystemTaskStatus, TaskStore};
use uuid::Uuid;

/// The parameters of a request, decoded.
type Query<'a> = &'a [(&'a str, &'a str)];

/// The answer to a list, or why it is refused.
fn answer(store: &TaskStore, query: Query<'_>) -> Result<String, Refusal> {
    let request = ListRequest::parse(query.iter().copied())?;
    let mut answer = Vec::new();
    match write_list(store, &request, &mut answer) {
        Ok(()) => Ok(String::from_utf8(answer).unwrap()),
        Err(error) => {
            assert_eq!(answer, b"", "something was written before {error}");
            Err(Refusal::of(&error))
        }
    }
}

/// The answer to a retrieve, or why it is refused.
fn retrieved(store: &TaskStore, uuid: &str, query: Query<'_>) -> Result<String, Refusal> {
    let request = RetrieveRequest::parse(uuid, query.iter().copied())?;
    let mut answer = Vec::new();
    match write_system_task(store, &request, &mut answer) {
        Ok(()) => Ok(String::from_utf8(answer).unwrap()),
        Err(error) => {
            assert_eq!(answer, b"", "something was written before {error}");
            Err(Refusal::of(&error))
        }
    }
}

/// The full names in the answer to a list, in its order.
fn listed(store: &TaskStore, query: Query<'_>) -> Vec<String> {
    let answer: serde_json::Value = serde_json::from_str(&answer(store, query).unwrap()).unwrap();
    let results = answer["results"].as_array().unwrap();
    results.iter().map(|task| task["full_name"].as_str().unwrap().to_owned()).collect()
}

/// The status and the body of a refusal.
fn refused<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> (u16, String) {
    let refusal = answer.unwrap_err();
    (refusal.status(), refusal.body().to_owned())
}

/// A refusal as it is to be.
fn refusal(status: u16, body: &str) -> (u16, String) {
    (status, body.to_owned())
}

/// A run that ends with this status.
fn run(store: &TaskStore, name: &str, uid: Option<&str>, status: SystemTaskStatus) -> Uuid {
    let run = store.system_tasks().start(name, uid).unwrap();
    let uuid = run.uuid();
    run.set_status(status, [""; 0]).unwrap();
    run.finish().unwrap();
    uuid
}

/// The text of a member of a system task's JSON, as it is written, up to the member behind it.
fn member<'a>(json: &'a str, name: &str, behind: &str) -> &'a str {
    let (_, rest) = json.split_once(&format!("\"{name}\":")).unwrap();
    rest.split_once(&format!(",\"{behind}\":")).unwrap().0
}
