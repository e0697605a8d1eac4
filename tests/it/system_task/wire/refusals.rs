//! Statuses and exact bodies: section 8 of the fact sheet.

use taskstore::wire::system_task_api::{Refusal, parse_uuid};
use taskstore::{Error, SystemTaskStatus};
use uuid::Uuid;

use super::{refusal, refused, retrieved, run};
use crate::support::temporary;
use crate::system_task::start;

#[test]
fn a_uuid_without_a_row_is_not_found() {
    let store = temporary();
    let gone = refusal(404, r#"{"detail":"No SystemTask matches the given query."}"#);
    assert_eq!(refused(retrieved(&store, "00000000-0000-0000-0000-000000000001", &[])), gone);
    // A first run in progress is not on this wire.
    let run = start(&store, "scan");
    assert_eq!(refused(retrieved(&store, &run.uuid().to_string(), &[])), gone);
    run.finish().unwrap();
}

#[test]
fn a_malformed_uuid_is_not_found_in_other_words() {
    let store = temporary();
    let uuid = run(&store, "scan", None, SystemTaskStatus::Successful).to_string();
    let short = &uuid[1..];
    for malformed in
        ["", "1", "abc", "scan", short, &format!("{uuid}0"), &uuid.replace('-', " "), &format!("g{short}"), "\0"]
    {
        let not_found = refusal(404, r#"{"detail":"Not found."}"#);
        assert_eq!(refused(retrieved(&store, malformed, &[])), not_found, "{malformed:?}");
    }
}

#[test]
fn a_uuid_is_read_leniently_and_written_hyphenated_in_lower_case() {
    let uuid = Uuid::from_u128(0x0a1b_2c3d_4e5f_6071_8293_a4b5_c6d7_e8f9);
    let store = crate::support::options().uuids(move || uuid).open_temporary().unwrap();
    run(&store, "scan", None, SystemTaskStatus::Successful);
    for text in [
        "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
        "{0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9}",
        "{0A1B2C3D4E5F60718293A4B5C6D7E8F9}",
        "urn:uuid:0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "0a-1b2c3d4e5f60718293a4b5c6d7e8f-9",
    ] {
        let answer = retrieved(&store, text, &[]).unwrap();
        assert!(answer.starts_with(r#"{"uuid":"0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9","name""#), "{answer}");
        assert_eq!(parse_uuid(text), Some(uuid));
    }
}

#[test]
fn every_other_refusal_has_its_exact_body() {
    for (refusal, status, body) in [
        (Refusal::no_such_row(), 404, r#"{"detail":"No SystemTask matches the given query."}"#),
        (Refusal::not_found(), 404, r#"{"detail":"Not found."}"#),
        (Refusal::invalid_page(), 404, r#"{"detail":"Invalid page."}"#),
        (Refusal::not_authenticated(), 403, r#"{"detail":"Authentication credentials were not provided."}"#),
        (Refusal::invalid_token(), 403, r#"{"detail":"Token invalid/expired"}"#),
        (Refusal::unsupported_authentication(), 403, r#"{"detail":"Unsupported authentication type"}"#),
        (Refusal::permission_denied(), 403, r#"{"detail":"You do not have permission to perform this action."}"#),
        (Refusal::method_not_allowed("POST"), 405, r#"{"detail":"Method \"POST\" not allowed."}"#),
        (Refusal::method_not_allowed("A\\"), 405, r#"{"detail":"Method \"A\\\" not allowed."}"#),
        (Refusal::busy(), 503, r#"{"detail":"The store is busy. Try again."}"#),
        (Refusal::foreign_origin(), 403, r#"{"detail":"Requests of this origin are not answered."}"#),
        (Refusal::not_acceptable(), 406, r#"{"detail":"Could not satisfy the request Accept header."}"#),
        (Refusal::foreign_host(), 421, r#"{"detail":"Requests to this host are not answered."}"#),
        (Refusal::nothing_to_run(), 500, ""),
        (Refusal::internal(), 500, r#"{"detail":"Internal error."}"#),
    ] {
        assert_eq!((refusal.status(), refusal.body()), (status, body));
        assert_eq!(refusal.to_string(), format!("refused with status {status}: {body}"));
    }
}

#[test]
fn an_error_of_the_store_is_answered_without_its_details() {
    let store = temporary();
    let uuid = Uuid::from_u128(1);
    let page = Error::OutOfRange { field: "page", value: "9".to_owned(), min: 1, max: 3 };
    let limit = Error::OutOfRange { field: "limit", value: "9".to_owned(), min: 1, max: 3 };
    let busy = Error::Busy { waited: std::time::Duration::from_secs(5) };
    for (error, refusal) in [
        (Error::NoSuchSystemTask { uuid }, Refusal::no_such_row()),
        (page, Refusal::invalid_page()),
        (limit, Refusal::internal()),
        (busy, Refusal::busy()),
        (Error::Closed, Refusal::internal()),
        (Error::ReadOnly, Refusal::internal()),
        (Error::NotFound { what: "run", id: 1 }, Refusal::internal()),
    ] {
        assert_eq!(Refusal::of(&error), refusal, "{error:?}");
    }
    store.close().unwrap();
    assert_eq!(refused(retrieved(&store, &uuid.to_string(), &[])), refusal(500, r#"{"detail":"Internal error."}"#));
}
