//! A registered system task that has never run: decision 2, which parts from the published API where that breaks its own
//! clients.

use taskstore::SystemTaskStatus;

use super::{answer, listed, member, retrieved, run};
use crate::support::Nanoseconds as _;
use crate::system_task::{SECOND_NS, store_at_noon};

const OBJECT: &str = concat!(
    r#"{"uuid":"00000000-0000-0000-0000-000000000001","name":"scan","full_name":"scan","uid":null,"#,
    r#""description":"Scans","start_timestamp":"2024-11-21T12:00:00.123456Z","#,
    r#""finish_timestamp":"2024-11-21T12:00:00.123456Z","duration":0.0,"status":"unknown","messages":["#,
    r#"{"timestamp":"2024-11-21T12:00:00.123456Z","log_level":"info","logger":"scan","#,
    r#""event":"Task has not been run yet.","attributes":{}}],"expires":null,"expiring":false}"#,
);

#[test]
fn it_is_unknown_with_one_message_of_level_info_and_the_time_of_its_registration() {
    let (store, clock) = store_at_noon();
    clock.advance_ns(123_456_789);
    store.system_tasks().register("scan", "Scans").unwrap();
    // Not the time of the answer.
    clock.advance_ns(SECOND_NS);
    let uuid = "00000000-0000-0000-0000-000000000001";
    assert_eq!(retrieved(&store, uuid, &[]).unwrap(), OBJECT);
    let page = answer(&store, &[]).unwrap();
    assert!(page.ends_with(&format!(r#""results":[{OBJECT}]}}"#)), "{page}");
}

#[test]
fn its_message_goes_with_its_first_run_and_its_expiry_comes() {
    let (store, _) = store_at_noon();
    store.system_tasks().register("scan", "Scans").unwrap();
    let uuid = run(&store, "scan", None, SystemTaskStatus::Successful).to_string();
    let object = retrieved(&store, &uuid, &[]).unwrap();
    assert_eq!(member(&object, "messages", "expires"), "[]");
    assert!(object.ends_with(r#""expires":"2024-11-21T18:00:00Z","expiring":true}"#), "{object}");
}

#[test]
fn it_is_found_by_its_status_and_its_texts_but_not_by_its_message() {
    let (store, _) = store_at_noon();
    store.system_tasks().register("scan", "Disks").unwrap();
    run(&store, "other", None, SystemTaskStatus::Successful);
    for query in [("status", "unknown"), ("search", "unkn"), ("search", "disks"), ("name", "scan")] {
        assert_eq!(listed(&store, &[query]), ["scan"], "{query:?}");
    }
    assert_eq!(listed(&store, &[("search", "\"not been run\"")]), [""; 0]);
}
