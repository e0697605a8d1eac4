//! Answers read: ours, and those of other servers of this family.

use chrono::{DateTime, Utc};
use taskstore::wire::task_api::{Answer, Failure, Task, TaskList};

use super::{SEED, SEED_NS};

/// A task with this time as `started`, and this as `finished`.
fn task_of(started: &str, finished: &str) -> Result<Task, serde_json::Error> {
    serde_json::from_value(serde_json::json!({
        "configuration_id": 0, "configuration_name": "", "hidden_by": "", "finished": finished, "messages": [],
        "performed_by": "", "started": started, "state": "End", "task_id": 1, "title": "",
        "updated": "2024-07-31T13:57:42Z",
    }))
}

fn ns(ns: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_nanos(ns)
}

#[test]
fn the_sample_of_the_published_page_is_read_and_its_task_written_back_member_by_member() {
    let answer: Answer<TaskList> = serde_json::from_str(SEED).unwrap();
    assert!(answer.successful);
    assert_eq!(answer.error, Some(Failure { message: "string".to_owned() }));
    let task = &answer.result.as_ref().unwrap().tasks[0];
    assert_eq!((task.configuration_id, task.task_id, task.state.as_str()), (1, 1, "In Progress"));
    assert_eq!((task.started, task.updated, task.finished), (ns(SEED_NS), ns(SEED_NS), Some(ns(SEED_NS))));
    assert_eq!(task.messages[0].time, ns(SEED_NS));
    let compact = SEED.replace("{ ", "{").replace(" }", "}").replace("[ ", "[").replace(" ]", "]");
    let compact = compact.replace("\": ", "\":").replace(", \"", ",\"");
    assert_eq!(serde_json::to_string(&answer).unwrap(), compact);
}

#[test]
fn a_time_of_no_to_nine_fraction_digits_is_read() {
    let second = 1_722_434_262_000_000_000;
    for (fraction, more) in [
        ("", 0),
        (".0", 0),
        (".1", 100_000_000),
        (".12", 120_000_000),
        (".123", 123_000_000),
        (".1234", 123_400_000),
        (".12345", 123_450_000),
        (".000001", 1_000),
        (".1234567", 123_456_700),
        (".12345678", 123_456_780),
        (".000123456", 123_456),
        (".999999999", 999_999_999),
    ] {
        let text = format!("2024-07-31T13:57:42{fraction}Z");
        let task = task_of(&text, &text).unwrap();
        assert_eq!((task.started, task.finished), (ns(second + more), Some(ns(second + more))), "{text}");
    }
}

#[test]
fn a_time_of_any_offset_is_read_as_utc() {
    for text in [
        "2024-07-31T13:57:42.000123456Z",
        "2024-07-31T13:57:42.000123456+00:00",
        "2024-07-31T15:57:42.000123456+02:00",
        "2024-07-31T08:27:42.000123456-05:30",
        "2024-08-01T13:56:42.000123456+23:59",
        "2024-07-30T13:58:42.000123456-23:59",
    ] {
        assert_eq!(task_of(text, text).unwrap().started, ns(SEED_NS), "{text}");
        // What is written is UTC again.
        let written = serde_json::to_string(&task_of(text, text).unwrap()).unwrap();
        assert_eq!(written.matches("2024-07-31T13:57:42.000123456Z").count(), 2, "{written}");
    }
}

#[test]
fn a_time_of_more_digits_or_another_form_or_beyond_the_store_s_range_is_refused() {
    for text in [
        "2024-07-31T13:57:42.0001234567Z",
        "2024-07-31T13:57:42.0000000000Z",
        "2024-07-31T13:57:42.0001234567+02:00",
        "2024-07-31T13:57:42",
        "2024-07-31T13:57Z",
        "2024-07-31",
        "2024-07-31T13:57:42.Z",
        "2024-02-30T00:00:00Z",
        "2024-07-31T25:00:00Z",
        "2024-07-31T13:57:42+2:00",
        "1722434262",
        "yesterday",
        "0000-00-00T00:00:00Z",
        "1677-09-21T00:12:43.145224191Z",
        "2262-04-11T23:47:16.854775808Z",
        "9999-12-31T23:59:59Z",
    ] {
        for (started, finished) in [(text, ""), ("2024-07-31T13:57:42Z", text)] {
            let error = task_of(started, finished).expect_err(text).to_string();
            let expected =
                "expected an RFC 3339 time between the years 1678 and 2261 with at most nine fraction digits";
            assert!(error.contains(expected) && error.contains(text), "{error}");
        }
    }
    assert!(task_of("", "").is_err(), "a task has started");
}

#[test]
fn a_finish_that_is_empty_is_none() {
    assert_eq!(task_of("2024-07-31T13:57:42Z", "").unwrap().finished, None);
}

#[test]
fn an_error_that_is_null_is_as_good_as_absent() {
    for json in [
        r#"{"error":null,"result":{"tasks":[]},"successful":true}"#,
        r#"{"result":{"tasks":[]},"successful":true}"#,
        r#"{"successful":true,"result":{"tasks":null},"more":1}"#,
    ] {
        let answer: Answer<TaskList> = serde_json::from_str(json).unwrap();
        assert_eq!(answer, Answer::success(TaskList::default()), "{json}");
    }
    for json in [
        r#"{"error":{"message":"no"},"successful":false}"#,
        r#"{"error":{"message":"no","code":7},"result":null,"successful":false}"#,
    ] {
        let answer: Answer<TaskList> = serde_json::from_str(json).unwrap();
        assert_eq!(answer, Answer::failure("no"), "{json}");
    }
    assert!(serde_json::from_str::<Answer<TaskList>>(r#"{"result":{"tasks":[]}}"#).is_err());
}

#[test]
fn a_list_of_messages_that_is_null_is_empty() {
    let task = serde_json::to_string(&task_of("2024-07-31T13:57:42Z", "").unwrap()).unwrap();
    let with_null = task.replace(r#""messages":[]"#, r#""messages":null"#);
    assert_ne!(with_null, task);
    assert_eq!(serde_json::from_str::<Task>(&with_null).unwrap().messages, []);
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Task>(&with_null).unwrap()).unwrap(), task);
}

#[test]
fn who_dismissed_a_task_is_read_from_either_member() {
    let task = serde_json::to_string(&task_of("2024-07-31T13:57:42Z", "").unwrap()).unwrap();
    for member in ["hidden_by", "dismissed_by"] {
        let json = task.replace(r#""hidden_by":"""#, &format!(r#""{member}":"ann""#));
        assert_eq!(serde_json::from_str::<Task>(&json).unwrap().hidden_by, "ann");
    }
}

#[test]
fn a_number_beyond_2_to_the_53_is_read_exactly() {
    let task = serde_json::to_string(&task_of("2024-07-31T13:57:42Z", "").unwrap()).unwrap();
    let json = task.replace(r#""task_id":1"#, r#""task_id":9223372036854775807"#);
    let json = json.replace(r#""configuration_id":0"#, r#""configuration_id":9007199254740993"#);
    let read: Task = serde_json::from_str(&json).unwrap();
    assert_eq!((read.task_id, read.configuration_id), (i64::MAX, 9_007_199_254_740_993));
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
}
