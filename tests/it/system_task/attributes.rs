//! The attributes of an event: a JSON object, kept to the byte.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;
use taskstore::{Attributes, Error, LogEvent, LogLevel, LoggedEvent};

use super::{events, start};
use crate::support::temporary;

#[derive(Serialize)]
struct Progress<'a> {
    zone: &'a str,
    done: f64,
    all: Option<u8>,
}

/// A value that says of itself that it is JSON.
#[derive(Serialize)]
#[serde(rename = "$serde_json::private::RawValue")]
struct Claim {
    #[serde(rename = "$serde_json::private::RawValue")]
    json: &'static str,
}

/// The attributes of an event that was logged with these and read back.
fn stored(attributes: impl Serialize) -> String {
    let store = temporary();
    let run = start(&store, "scan");
    run.info("e", attributes).unwrap();
    let event = events(&store, run.id()).remove(0);
    run.finish().unwrap();
    event.attributes.as_str().to_owned()
}

#[test]
fn any_value_that_serialises_to_an_object_is_taken_with_its_members_in_their_order() {
    assert_eq!(
        stored(json!({"a": [1, null], "b": {"c": "\u{1f600}"}})),
        "{\"a\":[1,null],\"b\":{\"c\":\"\u{1f600}\"}}"
    );
    let progress = Progress { zone: "z", done: 1.0, all: None };
    assert_eq!(stored(progress), r#"{"zone":"z","done":1.0,"all":null}"#);
    assert_eq!(stored(BTreeMap::from([(2, "b"), (1, "a")])), r#"{"1":"a","2":"b"}"#);
    assert_eq!(stored(BTreeMap::<u8, u8>::new()), "{}");
}

#[test]
fn the_text_of_a_raw_object_is_kept_with_its_digits_blanks_and_repeated_members() {
    for json in [
        r#"{"b":1.10,"a":12345678901234567890123}"#,
        r#"{"x":1e400,"x":-0,"y":0.10000000000000000000000000001}"#,
        "{ \"a\" :\t[ 1 , 2 ]\n}",
        r#"{"\u0061\/":"\u0000\ud83d\ude00"}"#,
    ] {
        assert_eq!(stored(RawValue::from_string(json.to_owned()).unwrap()), json);
    }
}

#[test]
fn no_attributes_are_an_empty_object() {
    assert_eq!(stored(()), "{}");
    assert_eq!(stored(None::<Progress<'_>>), "{}");
    assert_eq!(Attributes::default().as_str(), "{}");
    assert_eq!(LogEvent::new(LogLevel::Info, "e").attributes, Attributes::default());
}

#[test]
fn what_is_no_object_is_refused_and_nothing_is_logged() {
    let store = temporary();
    let run = start(&store, "scan");
    let refused = |answer: Result<(), Error>, expected: &str| {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::Invalid { field: "attributes", .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("attributes {expected}"));
    };
    let object = "must be a JSON object";
    refused(run.info("e", json!([{"a": 1}])), object);
    refused(run.info("e", "{}"), object);
    refused(run.info("e", 1), object);
    refused(run.info("e", true), object);
    refused(run.info("e", (1, 2)), object);
    let json = "must be a value that serialises to JSON";
    refused(run.info("e", BTreeMap::from([(vec![1], 1)])), json);
    refused(run.info("e", Claim { json: "{\"a\":}" }), json);
    refused(run.info("e", Claim { json: "{} {}" }), json);
    refused(run.info("e", Claim { json: "{" }), json);
    assert_eq!(events(&store, run.id()), []);
    run.finish().unwrap();
}

#[test]
fn a_float_that_is_not_finite_is_null() {
    assert_eq!(stored(BTreeMap::from([("a", f64::NAN), ("b", f64::INFINITY)])), r#"{"a":null,"b":null}"#);
}

#[test]
fn attributes_are_read_as_the_type_that_they_are_of() {
    let attributes = Attributes::new(json!({"a": 1})).unwrap();
    assert_eq!(attributes.parse::<BTreeMap<String, u8>>().unwrap(), BTreeMap::from([("a".to_owned(), 1)]));
    let error = attributes.parse::<Vec<u8>>().unwrap_err();
    assert_eq!(error.to_string(), "attributes are not of the type asked for");
}

#[test]
fn an_event_survives_its_own_json_and_one_whose_attributes_are_no_object_is_refused() {
    let store = temporary();
    let run = start(&store, "scan");
    run.info("e", RawValue::from_string(r#"{"b":1.10,"a":2}"#.to_owned()).unwrap()).unwrap();
    let event = events(&store, run.id()).remove(0);
    run.finish().unwrap();
    let json = serde_json::to_string(&event).unwrap();
    assert!(json.ends_with(r#""level":"info","logger":"scan","event":"e","attributes":{"b":1.10,"a":2}}"#), "{json}");
    assert_eq!(serde_json::from_str::<LoggedEvent>(&json).unwrap(), event);

    let poisoned = json.replace(r#"{"b":1.10,"a":2}"#, "[]");
    let error = serde_json::from_str::<LoggedEvent>(&poisoned).unwrap_err();
    assert!(error.to_string().starts_with("attributes must be a JSON object"), "{error}");
}
