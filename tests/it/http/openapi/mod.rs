//! The OpenAPI document: what it is, and that requests and answers are what it says.

mod answers;
mod document;
mod requests;
mod rows;

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::Value;
use taskstore::http::{Options, router};
use taskstore::wire::task_api::DismissedMember;

use super::{Served, options, request};
use crate::support::temporary;
use document::Document;

const PATH: &str = "/openapi.json";

fn served(options: Options) -> Served {
    Served::with(temporary(), options.openapi(true))
}

#[test]
fn the_document_is_there_only_if_asked_for() {
    let answer = Served::new().get(PATH);
    assert_eq!((answer.status, answer.body.as_str()), (404, r#"{"detail":"Not found."}"#));
}

#[test]
fn everybody_may_read_the_document_who_asks_the_right_host() {
    let served = served(options());
    let of_host = |host| Request::get(PATH).header("host", host).body(Body::empty()).unwrap();
    let answer = served.ask(of_host("localhost"));
    assert_eq!(answer.status, 200, "{answer:?}");
    for (name, value) in
        [("content-type", "application/json"), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
    {
        assert_eq!(answer.headers[name], value, "{name}");
    }
    assert_eq!(served.ask(of_host("evil.example")).status, 421);
    let foreign = request(Method::GET, PATH).header("origin", "https://evil.example").body(Body::empty()).unwrap();
    assert_eq!(served.ask(foreign).status, 403);
    let answer = served.post(PATH, "");
    assert_eq!((answer.status, answer.body.as_str()), (405, r#"{"detail":"Method \"POST\" not allowed."}"#));
}

#[test]
fn the_document_is_well_formed() {
    let document = Document::of(&served(options()), PATH);
    assert_eq!(document.0["openapi"], "3.1.0");
    assert_eq!(document.0["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document.0.get("servers"), None, "{}", document.0["servers"]);
    let mut ids = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        let in_path = path.split(['{', '}']).skip(1).step_by(2);
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let declared = parameters.filter(|parameter| parameter["in"] == "path" && parameter["required"] == true);
        let declared: Vec<_> = declared.map(|parameter| parameter["name"].as_str().unwrap()).collect();
        assert_eq!(declared, in_path.collect::<Vec<_>>(), "{method} {path}");
    }
    let published = ["events_system_tasks_list", "events_system_tasks_retrieve", "events_system_tasks_run_create"];
    let ours = ["task_dismiss", "task_dismiss_all", "task_list", "task_restore", "task_show"];
    assert_eq!(ids, published.into_iter().chain(ours).collect());
    let mut references = Vec::new();
    collect_references(&document.0, &mut references);
    assert!(references.len() > 50, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.0.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect_references<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            all.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| collect_references(value, all));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, all)),
        _ => {}
    }
}

#[test]
fn every_example_of_a_refusal_is_what_its_schema_says() {
    let document = Document::of(&served(options()), PATH);
    let mut examples = 0;
    for (path, _, operation) in document.operations() {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let content = &response["content"]["application/json"];
            for example in content["examples"].as_object().into_iter().flat_map(|examples| examples.values()) {
                document
                    .validate(&content["schema"], &example["value"])
                    .unwrap_or_else(|error| panic!("{path}: {error}"));
                examples += 1;
            }
            let is_refusal = status.parse::<u16>().unwrap() >= 400;
            assert_eq!(is_refusal, content.get("examples").is_some(), "{path} {status}");
        }
    }
    assert!(examples > 80, "{examples}");
}

#[test]
fn the_document_of_a_nested_router_names_where_it_is_nested() {
    let served = served(options());
    let nested = Served { router: Router::new().nest("/of/{tenant}", served.router.clone()), ..served };
    let document = Document::of(&nested, "/of/acme%2Fltd/openapi.json");
    assert_eq!(document.0["servers"], serde_json::json!([{ "url": "/of/acme%2Fltd" }]));
    assert_eq!(nested.post("/of/acme%2Fltd/task/list", "").status, 200);
}

#[test]
fn the_document_tells_of_the_options() {
    let options = || options().openapi(true);
    let page_size = |options| {
        let document = Document::of(&Served::with(temporary(), options), PATH);
        document.0["paths"]["/api/v3/events/system_tasks/"]["get"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .find(|parameter| parameter["name"] == "page_size")
            .unwrap()
            .clone()
    };
    let parameter = page_size(options().page_size_max(7));
    assert!(parameter["description"].as_str().unwrap().ends_with("At most 7: a larger one counts as that."));
    assert_eq!(parameter["schema"]["default"], 7);
    assert_eq!(page_size(options())["schema"]["default"], 100);

    let options = options().dismissed_member(DismissedMember::DismissedBy);
    let store = temporary();
    rows::fill(&store);
    let served = Served { router: router(store.clone(), options), ..Served::with(store, super::options()) };
    let document = Document::of(&served, PATH);
    assert!(!document.0.to_string().contains("hidden_by"));
    let list = served.post("/task/list", r#"{"params":{"show_hidden":true}}"#);
    assert_eq!(document.problem("task_list", &list), None);
    // The control: what the document says of another name.
    let other = super::Answer { body: list.body.replace("dismissed_by", "hidden_by"), ..list };
    assert!(document.problem("task_list", &other).is_some());
}
