//! Tasks on the wire.

use taskstore::wire::task_api::DismissedMember::{DismissedBy, HiddenBy};
use taskstore::{Clock, Level, NewTask, Progress};

use super::{SEED, SEED_NS, ids, list, members, show, store};
use crate::support::files::shell;
use crate::support::{Nanoseconds as _, interrupted, open, start, task_id};

#[test]
fn a_list_is_written_to_the_byte() {
    let (store, clock) = store();
    let prod = store.configurations().add("prod").unwrap();
    let new = |title: &str| NewTask::new(title).performed_by("ann").configuration(prod);
    let id = store.start_detached(new("Create standby")).unwrap();
    clock.advance_ns(1);
    store.message(id, Level::Trace, "copying \"1\"\n").unwrap();
    store.progress(id, &Progress::new(1).of(2).phase("copying")).unwrap();
    clock.advance_ns(999_876_543);
    store.message(id, Level::Error, "").unwrap();
    store.finish(id).unwrap();
    store.start_detached(NewTask::new("Switch over")).unwrap();
    let expected = concat!(
        r#"{"result":{"tasks":["#,
        r#"{"configuration_id":0,"configuration_name":"","hidden_by":"","finished":"","messages":[],"#,
        r#""performed_by":"","started":"2024-07-31T13:57:43.000000000Z","state":"In Progress","task_id":2,"#,
        r#""title":"Switch over","updated":"2024-07-31T13:57:43.000000000Z"},"#,
        r#"{"configuration_id":1,"configuration_name":"prod","hidden_by":"","#,
        r#""finished":"2024-07-31T13:57:43.000000000Z","messages":["#,
        r#"{"message":"copying \"1\"\n","time":"2024-07-31T13:57:42.000123457Z"},"#,
        r#"{"message":"","time":"2024-07-31T13:57:43.000000000Z"}],"#,
        r#""performed_by":"ann","started":"2024-07-31T13:57:42.000123456Z","state":"End","task_id":1,"#,
        r#""title":"Create standby","updated":"2024-07-31T13:57:43.000000000Z"}"#,
        r#"]},"successful":true}"#,
    );
    assert_eq!(list(&store, ""), expected);
}

#[test]
fn showing_a_task_gives_the_task_itself_to_the_byte() {
    let (store, clock) = store();
    let id = start(&store, "Switch over");
    store.message(id, Level::Info, "one").unwrap();
    store.fail(id, "no answer").unwrap();
    clock.advance_ns(4);
    store.dismiss(id, "bob").unwrap();
    let expected = concat!(
        r#"{"result":{"configuration_id":0,"configuration_name":"","hidden_by":"bob","#,
        r#""finished":"2024-07-31T13:57:42.000123456Z","messages":["#,
        r#"{"message":"one","time":"2024-07-31T13:57:42.000123456Z"},"#,
        r#"{"message":"no answer","time":"2024-07-31T13:57:42.000123456Z"}],"#,
        r#""performed_by":"","started":"2024-07-31T13:57:42.000123456Z","state":"Dismissed","task_id":1,"#,
        r#""title":"Switch over","updated":"2024-07-31T13:57:42.000123460Z"},"successful":true}"#,
    );
    assert_eq!(show(&store, id, HiddenBy), expected);
    // The same task in a list is the same bytes.
    let task = &expected[r#"{"result":"#.len()..expected.len() - r#","successful":true}"#.len()];
    let listed = list(&store, r#"{"params":{"show_hidden":true}}"#);
    assert_eq!(listed, format!(r#"{{"result":{{"tasks":[{task}]}},"successful":true}}"#));
}

#[test]
fn a_task_has_the_eleven_members_of_the_sample_in_its_order_and_a_message_two() {
    let (store, _) = store();
    let id = start(&store, "t");
    store.progress(id, &Progress::new(1).of(2).phase("never on this wire")).unwrap();
    store.message(id, Level::Warn, "m").unwrap();
    let answer = list(&store, "");
    let sample = SEED.replacen(r#""error": { "message": "string" }, "#, "", 1);
    assert_eq!(members(&answer), members(&sample));
    let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let task = &value["result"]["tasks"][0];
    assert_eq!(task.as_object().unwrap().len(), 11);
    assert_eq!(task["messages"][0].as_object().unwrap().len(), 2);
}

#[test]
fn who_dismissed_a_task_is_hidden_by_or_dismissed_by_and_never_both() {
    let (store, _) = store();
    let id = start(&store, "t");
    store.finish(id).unwrap();
    store.dismiss(id, "ann").unwrap();
    let (hidden, dismissed) = (show(&store, id, HiddenBy), show(&store, id, DismissedBy));
    assert!(hidden.contains(r#""hidden_by":"ann""#) && !hidden.contains("dismissed_by"), "{hidden}");
    assert_eq!(dismissed, hidden.replacen("hidden_by", "dismissed_by", 1));
    assert_eq!(taskstore::wire::task_api::DismissedMember::default(), HiddenBy);

    let mut listed = Vec::new();
    let request = taskstore::wire::task_api::ListRequest { configuration: None, show_hidden: true };
    taskstore::wire::task_api::write_list(&store, request, DismissedBy, &mut listed).unwrap();
    let expected = list(&store, r#"{"params":{"show_hidden":true}}"#).replacen("hidden_by", "dismissed_by", 1);
    assert_eq!(String::from_utf8(listed).unwrap(), expected);
}

#[test]
fn tasks_go_newest_first_by_their_id_and_messages_oldest_first() {
    let (store, clock) = store();
    for title in ["1", "2", "3"] {
        // The clock goes back, and the order does not care.
        clock.advance_ns(-1_000_000_000);
        start(&store, title);
    }
    for text in ["a", "b", "c"] {
        clock.advance_ns(-1_000_000_000);
        store.message(task_id(2), Level::Info, text).unwrap();
    }
    let answer = list(&store, "");
    assert_eq!(ids(&answer), [3, 2, 1]);
    let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let texts: Vec<_> = value["result"]["tasks"][1]["messages"].as_array().unwrap().iter().collect();
    assert_eq!(texts.iter().map(|m| m["message"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_list_has_no_pages() {
    let (store, _) = store();
    store.batch(|batch| (0..1_500).try_for_each(|_| batch.start_detached(NewTask::new("t")).map(drop))).unwrap();
    assert!(ids(&list(&store, "")).into_iter().eq((1..=1_500).rev()));
}

#[test]
fn what_there_is_not_is_an_empty_text_or_an_empty_list_and_never_null() {
    let (store, _) = store();
    let answer = show(&store, start(&store, ""), HiddenBy);
    for member in [
        r#""configuration_id":0"#,
        r#""configuration_name":"""#,
        r#""hidden_by":"""#,
        r#""finished":"""#,
        r#""messages":[]"#,
        r#""performed_by":"""#,
        r#""title":"""#,
    ] {
        assert!(answer.contains(member), "no {member} in {answer}");
    }
    assert!(!answer.contains("null") && !list(&store, "").contains("null"));
}

#[test]
fn times_are_utc_and_have_always_nine_fraction_digits() {
    for (ns, text) in [
        (SEED_NS, "2024-07-31T13:57:42.000123456Z"),
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (1_500_000_000, "1970-01-01T00:00:01.500000000Z"),
        (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
        (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
    ] {
        let (store, clock) = store();
        clock.set_ns(ns);
        let id = start(&store, "t");
        store.fail(id, "because").unwrap();
        let answer = show(&store, id, HiddenBy);
        for member in ["finished", "time", "started", "updated"] {
            assert!(answer.contains(&format!(r#""{member}":"{text}""#)), "no {member} of {text} in {answer}");
        }
    }
}

#[test]
fn a_state_is_in_progress_end_failed_or_dismissed() {
    let (store, clock) = store();
    let state = |id| {
        let answer = show(&store, id, HiddenBy);
        let value: serde_json::Value = serde_json::from_str(&answer).unwrap();
        value["result"]["state"].as_str().unwrap().to_owned()
    };
    let running = start(&store, "t");
    assert_eq!(state(running), "In Progress");
    let finished = crate::support::finished(&store, "t");
    assert_eq!(state(finished), "End");
    let failed = start(&store, "t");
    store.fail(failed, "").unwrap();
    assert_eq!(state(failed), "Failed");
    let interrupted = interrupted(&store, "t");
    assert_eq!(state(interrupted), "Failed");
    for id in [finished, failed, interrupted] {
        let before = state(id);
        clock.advance_ns(1);
        store.dismiss(id, "ann").unwrap();
        assert_eq!(state(id), "Dismissed");
        // Both are an update.
        assert_eq!(store.task(id).unwrap().updated, clock.now());
        clock.advance_ns(1);
        store.restore(id).unwrap();
        assert_eq!(state(id), before);
        assert_eq!(store.task(id).unwrap().updated, clock.now());
    }
}

#[test]
fn an_interrupted_task_is_failed_and_its_last_message_says_why() {
    let (store, _) = store();
    let id = interrupted(&store, "t");
    let answer = show(&store, id, HiddenBy);
    let ending = r#""messages":[{"message":"ended without finish or fail","time":"2024-07-31T13:57:42.000123456Z"}]"#;
    assert!(answer.contains(ending) && answer.contains(r#""state":"Failed""#), "{answer}");
    assert!(answer.contains(r#""finished":"2024-07-31T13:57:42.000123456Z""#), "{answer}");
}

#[test]
fn a_dismissed_task_still_tells_when_it_ended() {
    let (store, clock) = store();
    let id = crate::support::finished(&store, "t");
    clock.advance_ns(5);
    store.dismiss(id, "ann").unwrap();
    let answer = show(&store, id, HiddenBy);
    assert!(answer.contains(r#""finished":"2024-07-31T13:57:42.000123456Z""#), "{answer}");
    assert!(answer.contains(r#""updated":"2024-07-31T13:57:42.000123461Z""#), "{answer}");
}

#[test]
fn numbers_are_integers_also_beyond_2_to_the_53() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    shell(&path)
        .execute_batch(
            "INSERT INTO configuration (id, name) VALUES (9007199254740993, 'prod');
             INSERT INTO task (id, configuration_id, title, performed_by, started_ns, updated_ns)
                 VALUES (9223372036854775806, 9007199254740993, 't', '', 0, 0)",
        )
        .unwrap();
    let answer = list(&store, r#"{"params":{"configuration_id":9007199254740993}}"#);
    assert!(answer.contains(r#"[{"configuration_id":9007199254740993,"#), "{answer}");
    assert!(answer.contains(r#","task_id":9223372036854775806,"#), "{answer}");
    assert_eq!(show(&store, task_id(9_223_372_036_854_775_806), HiddenBy).matches("922337203685477580").count(), 1);
}

#[test]
fn a_task_of_a_deleted_configuration_has_id_0_and_the_last_name() {
    let (store, _) = store();
    let prod = store.configurations().add("prod").unwrap();
    let id = store.start_detached(NewTask::new("t").configuration(prod)).unwrap();
    let has = |member: &str| {
        let (shown, listed) = (show(&store, id, HiddenBy), list(&store, ""));
        assert!(shown.contains(member) && listed.contains(member), "{shown}");
    };
    has(r#""configuration_id":1,"configuration_name":"prod","#);
    store.configurations().rename(prod, "production").unwrap();
    has(r#""configuration_id":1,"configuration_name":"production","#);
    store.configurations().delete(prod).unwrap();
    has(r#""configuration_id":0,"configuration_name":"production","#);
}

#[test]
fn texts_are_escaped_only_where_json_asks_for_it() {
    let (store, _) = store();
    let id = start(&store, "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}\u{2028}é日👩\u{ffff}</script>");
    let title = "\"title\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u{7f}\u{2028}é日👩\u{ffff}</script>\"";
    let answer = show(&store, id, HiddenBy);
    assert!(answer.contains(title), "{answer}");
}
