//! Answers read back as data, as a client of this crate does.

use taskstore::SystemTaskStatus;
use taskstore::wire::system_task_api::{LogEvent, SystemTask, SystemTaskList};

use super::answer;
use crate::system_task::{finished, store_at_noon};

const EVENT: &str =
    r#"{"timestamp":"2024-11-21T12:00:00Z","log_level":"info","logger":"a","event":"e","attributes":{}}"#;

#[test]
fn an_answer_is_read_as_data() {
    let (store, _) = store_at_noon();
    let uuid = finished(&store, "scan", Some("disk"));
    let list: SystemTaskList = serde_json::from_str(&answer(&store, &[]).unwrap()).unwrap();
    assert_eq!((list.pagination.count, list.results.len()), (1, 1));
    let task = &list.results[0];
    assert_eq!((task.uuid, task.name.as_str(), task.uid.as_deref()), (uuid, "scan", Some("disk")));
    assert_eq!((task.full_name.as_str(), task.status), ("scan:disk", SystemTaskStatus::Successful));
    assert_eq!((task.duration, task.expiring), (0.0, true));
    assert_eq!(task.expires, Some(task.finish_timestamp + chrono::TimeDelta::hours(6)));
}

#[test]
fn times_are_read_with_any_offset_and_up_to_nine_digits() {
    for (time, expected) in [
        ("2024-11-21T12:00:00.000001Z", "2024-11-21T12:00:00.000001Z"),
        ("2024-11-21T13:30:00.1+01:30", "2024-11-21T12:00:00.100000Z"),
        ("2024-11-21T12:00:00.123456789Z", "2024-11-21T12:00:00.123456Z"),
    ] {
        let event: LogEvent = serde_json::from_str(&EVENT.replace("2024-11-21T12:00:00Z", time)).unwrap();
        let expected = EVENT.replace("2024-11-21T12:00:00Z", expected);
        assert_eq!(serde_json::to_string(&event).unwrap(), expected);
    }
}

#[test]
fn what_is_not_of_the_published_shape_is_refused() {
    assert!(serde_json::from_str::<LogEvent>(EVENT).is_ok());
    for (good, bad) in [
        ("\"info\"", "\"\""),
        ("\"info\"", "\"INFO\""),
        ("\"attributes\":{}", "\"attributes\":null"),
        ("\"attributes\":{}", "\"attributes\":[]"),
        (",\"attributes\":{}", ""),
        ("12:00:00Z", "12:00:00"),
        ("12:00:00Z", "12:00:00.1234567890Z"),
        ("2024", "2263"),
        ("\"e\"", "null"),
    ] {
        let poisoned = EVENT.replace(good, bad);
        assert_ne!(poisoned, EVENT);
        assert!(serde_json::from_str::<LogEvent>(&poisoned).is_err(), "{poisoned} was taken");
    }
}

#[test]
fn the_members_that_a_client_must_do_without_may_be_absent() {
    let (store, _) = store_at_noon();
    finished(&store, "scan", None);
    let page = answer(&store, &[]).unwrap();
    let object = page.split_once("\"results\":[").unwrap().1.strip_suffix("]}").unwrap();
    let whole: SystemTask = serde_json::from_str(object).unwrap();
    let without_uid = object.replace("\"uid\":null,", "");
    assert_ne!(without_uid, object);
    assert_eq!(serde_json::from_str::<SystemTask>(&without_uid).unwrap(), whole);
    for member in ["\"uuid\":", "\"name\":", "\"duration\":", "\"status\":", "\"messages\":", "\"description\":"] {
        let without = object.replace(member, "\"other\":");
        assert!(serde_json::from_str::<SystemTask>(&without).is_err(), "{member} may be absent");
    }
}
