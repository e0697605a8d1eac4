//! The members of a system task and of its events, to the byte: sections 3 to 5 of the fact sheet.

use serde_json::json;
use serde_json::value::RawValue;
use taskstore::{LogEvent, LogLevel, RunOptions, SystemTaskStatus};

use super::{answer, member, retrieved};
use crate::support::Nanoseconds as _;
use crate::system_task::{SECOND_NS, finished, start, store_at_noon};

/// The only row of the store.
const OBJECT: &str = concat!(
    r#"{"uuid":"00000000-0000-0000-0000-000000000001","name":"ldap_sync","full_name":"ldap_sync:corp:users","#,
    r#""uid":"corp:users","description":"Größen \"im\" LDAP\n","start_timestamp":"2024-11-21T12:00:00Z","#,
    r#""finish_timestamp":"2024-11-21T12:00:01.500000Z","duration":1.5,"status":"warning","messages":["#,
    r#"{"timestamp":"2024-11-21T12:00:00Z","log_level":"info","logger":"ldap_sync","event":"begun","attributes":{}},"#,
    r#"{"timestamp":"2024-11-21T12:00:00.250000Z","log_level":"warning","logger":"ldap.pool","#,
    r#""event":"langsam 🐢 \"\\\u0000\u001f\t","attributes":{"b":1.10,"a":12345678901234567890123,"ö":"<&>"}},"#,
    r#"{"timestamp":"2024-11-21T12:00:01.500000Z","log_level":"info","logger":"ldap_sync","event":"2 users","#,
    r#""attributes":{}}],"expires":"2024-11-21T12:01:31.500000Z","expiring":true}"#,
);

fn recorded() -> taskstore::TaskStore {
    let (store, clock) = store_at_noon();
    let options =
        RunOptions::new().description("Größen \"im\" LDAP\n").expires_after(std::time::Duration::from_secs(90));
    let run = store.system_tasks().start_with("ldap_sync", Some("corp:users"), options).unwrap();
    run.info("begun", ()).unwrap();
    clock.advance_ns(SECOND_NS / 4);
    let attributes = r#"{"b":1.10,"a":12345678901234567890123,"ö":"<&>"}"#.to_owned();
    let event = LogEvent::new(LogLevel::Warning, "langsam 🐢 \"\\\0\u{1f}\t").logger("ldap.pool");
    run.log(event.attributes(RawValue::from_string(attributes).unwrap()).unwrap()).unwrap();
    clock.advance_ns(SECOND_NS + SECOND_NS / 4);
    run.set_status(SystemTaskStatus::Warning, ["2 users"]).unwrap();
    run.finish().unwrap();
    store
}

#[test]
fn a_system_task_has_twelve_members_in_their_order_compact_and_unescaped() {
    let uuid = "00000000-0000-0000-0000-000000000001";
    assert_eq!(retrieved(&recorded(), uuid, &[]).unwrap(), OBJECT);
}

#[test]
fn a_page_is_the_pagination_and_the_same_objects() {
    let store = recorded();
    finished(&store, "a", None);
    let second = concat!(
        r#"{"uuid":"00000000-0000-0000-0000-000000000002","name":"a","full_name":"a","uid":null,"description":"","#,
        r#""start_timestamp":"2024-11-21T12:00:01.500000Z","finish_timestamp":"2024-11-21T12:00:01.500000Z","#,
        r#""duration":0.0,"status":"successful","messages":[],"expires":"2024-11-21T18:00:01.500000Z","#,
        r#""expiring":true}"#,
    );
    let pagination = r#"{"next":0,"previous":0,"count":2,"current":1,"total_pages":1,"start_index":1,"end_index":2}"#;
    let page = format!(r#"{{"pagination":{pagination},"results":[{second},{OBJECT}]}}"#);
    assert_eq!(answer(&store, &[]).unwrap(), page);
}

#[test]
fn a_uid_is_null_or_the_empty_text_that_it_is_and_neither_is_in_the_full_name() {
    let (store, _) = store_at_noon();
    for (uid, full_name, written) in [(None, "a", "null"), (Some(""), "a", "\"\""), (Some("b:c"), "a:b:c", "\"b:c\"")] {
        let uuid = finished(&store, "a", uid).to_string();
        let object = retrieved(&store, &uuid, &[]).unwrap();
        assert_eq!(member(&object, "uid", "description"), written);
        assert_eq!(member(&object, "full_name", "uid"), format!("\"{full_name}\""));
        assert_eq!(member(&object, "name", "full_name"), "\"a\"");
        assert_eq!(member(&object, "description", "start_timestamp"), "\"\"");
    }
}

#[test]
fn a_run_that_never_expires_has_null_and_false() {
    let (store, _) = store_at_noon();
    store.system_tasks().start_with("a", None, RunOptions::new().never_expires()).unwrap().finish().unwrap();
    let page = answer(&store, &[]).unwrap();
    assert!(page.ends_with(r#""messages":[],"expires":null,"expiring":false}]}"#), "{page}");
}

#[test]
fn every_status_and_every_level_is_written_in_its_word() {
    let (store, _) = store_at_noon();
    for status in ["unknown", "successful", "warning", "error"] {
        let uuid = super::run(&store, status, None, status.parse().unwrap()).to_string();
        let object = retrieved(&store, &uuid, &[]).unwrap();
        assert_eq!(member(&object, "status", "messages"), format!("\"{status}\""));
    }
    let run = start(&store, "levels");
    let uuid = run.uuid().to_string();
    for level in LogLevel::ALL {
        run.log(LogEvent::new(level, "e")).unwrap();
    }
    run.finish().unwrap();
    let object = retrieved(&store, &uuid, &[]).unwrap();
    let levels: Vec<_> = object.split("\"log_level\":\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    assert_eq!(levels, ["critical", "exception", "error", "warn", "warning", "info", "debug", "notset"]);
}

#[test]
fn only_the_last_finished_run_is_on_the_wire() {
    let (store, _) = store_at_noon();
    let uuid = {
        let run = start(&store, "a");
        run.info("first", json!({})).unwrap();
        let uuid = run.uuid().to_string();
        run.finish().unwrap();
        uuid
    };
    let second = start(&store, "a");
    second.info("second", ()).unwrap();
    let object = retrieved(&store, &uuid, &[]).unwrap();
    assert!(object.contains(r#""event":"first""#) && !object.contains("second"), "{object}");
    second.finish().unwrap();
    let object = retrieved(&store, &uuid, &[]).unwrap();
    assert!(object.contains(r#""event":"second""#) && !object.contains("first"), "{object}");
}

#[test]
fn an_interrupted_run_is_an_error_with_a_last_event_that_says_so() {
    let (store, _) = store_at_noon();
    let run = start(&store, "a");
    let uuid = run.uuid().to_string();
    run.set_status(SystemTaskStatus::Successful, ["so far"]).unwrap();
    drop(run);
    let object = retrieved(&store, &uuid, &[]).unwrap();
    assert_eq!(member(&object, "status", "messages"), "\"error\"");
    let event = |level, text| {
        format!(
            r#"{{"timestamp":"2024-11-21T12:00:00Z","log_level":"{level}","logger":"a","event":"{text}","attributes":{{}}}}"#
        )
    };
    let expected = format!("[{},{}]", event("info", "so far"), event("error", "ended without finish"));
    assert_eq!(member(&object, "messages", "expires"), expected);
}

#[test]
fn a_failed_piece_of_work_is_an_error_with_its_text() {
    let (store, _) = store_at_noon();
    let failed = store.system_tasks().run("a", None, |_| Err::<(), _>("no disk"));
    assert!(failed.is_err());
    let page = answer(&store, &[("status", "error")]).unwrap();
    assert!(
        page.contains(r#""log_level":"error","logger":"a","event":"no disk","attributes":{}}],"expires""#),
        "{page}"
    );
}
