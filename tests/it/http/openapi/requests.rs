//! The document holds for every request: where it goes, and what is taken and refused.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Parts;
use serde_json::json;
use taskstore::http::{Options, Rights, Unauthenticated, User};
use uuid::Uuid;

use super::super::Served;
use super::answers::{Good, all_good, with};
use super::document::Document;
use super::{PATH, rows};
use crate::support::temporary;

/// Lets in whom the header `x-rights` gives some.
fn served() -> (Served, Document, [Good; 8]) {
    let authenticate = |request: &Parts| {
        let rights = request.headers.get("x-rights").ok_or(Unauthenticated::NoCredentials)?.to_str().unwrap();
        Ok(User::new("ann", rights.parse().unwrap()))
    };
    let store = temporary();
    rows::fill(&store);
    let uuid = rows::uuid(&store, "sync");
    let served = Served::with(store, Options::new(authenticate).openapi(true).on_run("sync", |_| {}));
    let document = Document::of(&served, PATH);
    (served, document, all_good(uuid))
}

fn with_rights(good: &Good, rights: &str) -> Request<Body> {
    with(good, |builder| builder.header("x-rights", rights))
}

#[test]
fn each_operation_stands_where_it_is_served_and_tells_which_rights_it_takes() {
    let (served, document, all) = served();
    let mut summaries = BTreeSet::new();
    for good in all {
        let (id, method, path, _) = &good;
        let (documented, by, operation) = document.operation(id);
        let is_uuid = |part: &&str| part.parse::<Uuid>().is_ok();
        let path = path.split('/').find(is_uuid).map_or(path.clone(), |uuid| path.replace(uuid, "{uuid}"));
        assert_eq!((documented, by), (&path, &method.as_str().to_lowercase()));
        assert_eq!(operation["tags"], json!([if id.starts_with("task") { "task" } else { "events" }]));
        assert!(summaries.insert(operation["summary"].as_str().unwrap()), "{id} has another one's summary");
        assert_eq!(operation["parameters"].as_array().is_none_or(Vec::is_empty), id.starts_with("task"), "{id}");

        // With these it is done, and without any of them it is not.
        let takes = operation["description"].as_str().unwrap();
        let takes = takes.strip_prefix("It takes the rights `").unwrap().strip_suffix("`.").unwrap();
        assert!(served.ask(with_rights(&good, takes)).status < 300, "{id}");
        for right in takes.split(',') {
            let others = ["view", "dismiss", "run"].into_iter().filter(|other| *other != right);
            assert_eq!(served.ask(with_rights(&good, &others.collect::<Vec<_>>().join(","))).status, 403, "{id}");
        }
        assert!(takes.parse::<Rights>().unwrap() != Rights::NONE);
    }
    assert!(!summaries.contains(""));
}

#[test]
fn a_body_is_taken_if_the_document_says_so() {
    let (served, document, all) = served();
    // What is absent or empty; what a list takes; what one task's operation takes; what none does.
    let bodies = [
        "",
        "{}",
        r#"{"params":null}"#,
        r#"{"params":{}}"#,
        r#"{"params":{"configuration_id":0}}"#,
        r#"{"params":{"configuration_id":null}}"#,
        r#"{"params":{"configuration_id":9223372036854775807}}"#,
        r#"{"params":{"task_id":1}}"#,
        r#"{"params":{"task_id":1,"more":2}}"#,
        r#"{"params":{"task_id":9223372036854775808}}"#,
        r#"{"params":{"task_id":"1"}}"#,
        r#"{"params":{"task_id":null}}"#,
        r#"{"params":{"configuration_id":-1,"task_id":1.5}}"#,
        r#"{"params":{"configuration_id":9223372036854775808}}"#,
        r#"{"params":{"configuration_id":"1","task_id":true}}"#,
        r#"{"params":1}"#,
        r#"{"params":[]}"#,
        "[]",
        "1",
    ];
    let (mut taken, mut refused) = (0, 0);
    for good in &all[..5] {
        let (id, method, path, _) = good;
        let (_, _, operation) = document.operation(id);
        let documented = &operation["requestBody"];
        let schema = &documented["content"]["application/json"]["schema"];
        for body in bodies {
            let answer = served.ask(with_rights(&(*id, method.clone(), path.clone(), body), "view,dismiss"));
            let expected = match serde_json::from_str(body) {
                Ok(value) => document.validate(schema, &value).is_ok(),
                Err(_) => documented.get("required").is_none_or(|required| required == false),
            };
            // What is taken may still be refused for the task's state.
            let is_taken = answer.status == 200 || answer.body.contains("cannot ");
            assert_eq!(is_taken, expected, "{id} {body}: {answer:?}");
            if expected { taken += 1 } else { refused += 1 }
        }
    }
    assert!(taken > 20 && refused > 40, "{taken} {refused}");
}

#[test]
fn a_parameter_is_taken_if_the_document_says_so() {
    let (served, document, all) = served();
    let values = ["", "a", "error", "ERROR", "%00", "a%00b", "last", "0", "1", "x"];
    let mut refused = 0;
    for good in &all[5..] {
        let (id, method, path, _) = good;
        let (_, _, operation) = document.operation(id);
        let parameters = operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "query");
        let names: Vec<_> = parameters.clone().map(|parameter| parameter["name"].as_str().unwrap()).collect();
        let all_names = ["name", "uid", "status", "search", "ordering", "page", "page_size"];
        assert_eq!(names, &all_names[..if *id == "events_system_tasks_list" { 7 } else { 4 }]);
        for parameter in parameters {
            assert_eq!(parameter["required"], false);
            assert!(!parameter["description"].as_str().unwrap().is_empty());
            for value in values {
                let name = parameter["name"].as_str().unwrap();
                let path = format!("{path}?{name}={value}");
                let answer = served.ask(with_rights(&(*id, method.clone(), path, ""), "view,run"));
                let value = json!(value.replace("%00", "\0"));
                let expected = document.validate(&parameter["schema"], &value).is_ok();
                // A filter or a page that finds nothing is no wrong one.
                assert_eq!(answer.status != 400, expected, "{id} {name}={value}: {answer:?}");
                refused += usize::from(!expected);
            }
        }
    }
    assert!(refused > 20, "{refused}");
    let uuid = document.operation("events_system_tasks_retrieve").2["parameters"][0].clone();
    assert!(document.validate(&uuid["schema"], &json!("bogus")).is_err());
    assert!(document.validate(&uuid["schema"], &json!(Uuid::nil().to_string())).is_ok());
}
