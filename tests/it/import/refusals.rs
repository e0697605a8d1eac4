//! Each thing that can be wrong, by name and line.

use std::error::Error as _;

use chrono::{DateTime, Utc};
use taskstore::{Level, LogEvent, LogLevel, NewTask, Progress, RunOptions, TaskStore};

use super::{exported, refusal};
use crate::support::{ManualClock, Nanoseconds as _, options, start, temporary};

/// One of everything, with texts and times that can be told apart.
fn source() -> TaskStore {
    let clock = ManualClock::at("2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
    let store = options().clock(clock.clone()).uuids(|| uuid::Uuid::from_u128(1)).open_temporary().unwrap();
    let [kept, gone] = ["kept", "gone"].map(|name| store.configurations().add(name).unwrap());
    let new = |title: &str| NewTask::new(title).performed_by("ann");
    let task = store.start_detached(new("one").configuration(kept).key("k1")).unwrap();
    store.progress(task, &Progress::new(1).of(2).phase("phase")).unwrap();
    clock.advance_ns(1_000_000_000);
    store.message_once(task, "m1", Level::Warn, "said").unwrap();
    store.message_once(task, "m2", Level::Info, "more").unwrap();
    clock.advance_ns(1_000_000_000);
    store.finish(task).unwrap();
    clock.advance_ns(1_000_000_000);
    store.dismiss(task, "ben").unwrap();
    store.start_detached(new("two").configuration(gone)).unwrap();
    store.configurations().delete(gone).unwrap();
    let run = RunOptions::new().key("r1").description("what for");
    let run = store.system_tasks().start_with("job", Some("u"), run).unwrap();
    run.log(LogEvent::new(LogLevel::Info, "event").key("e1")).unwrap();
    run.log(LogEvent::new(LogLevel::Info, "another").key("e2")).unwrap();
    clock.advance_ns(1_000_000_000);
    run.finish().unwrap();
    drop(store.system_tasks().start_with("job", Some("u"), RunOptions::new().key("r2")).unwrap().detach());
    store
}

/// The lines: 1 header, 2 and 3 configurations, 4 and 5 tasks, 6 system task, 7 and 8 runs, 9 end.
#[test]
fn what_cannot_be_imported_is_refused_by_line_and_name_and_changes_nothing() {
    let lines = exported(&source());
    assert_eq!(lines.lines().count(), 9, "{lines}");
    let long = format!("\"title\":\"{}\"", "x".repeat(1_025));
    let last = "\"last_ids\":{\"configuration\":9223372036854775807,";
    let broken: &[(&str, &str, u64, &str)] = &[
        // The header.
        (r#"{"taskstore_export""#, r#"{"another_export""#, 1, "it is not the first line of an export"),
        (r#""version":1"#, r#""version":0"#, 1, "it is not the first line of an export"),
        (
            r#""version":1"#,
            r#""version":2,"unknown":{}"#,
            1,
            "the export has version 2, but this program knows versions up to 1",
        ),
        (r#""version":1"#, r#""version":1,"unknown":{}"#, 1, "unknown field `unknown`"),
        (
            r#""last_ids":{"configuration":2,"#,
            last,
            1,
            "configuration is \"9223372036854775807\"; it must be a whole number from 1 to",
        ),
        (r#""last_ids":{"configuration":2,"#, r#""last_ids":{"configuration":-1,"#, 1, "configuration is \"-1\""),
        // Kinds and members.
        (r#"{"system_task":{"#, r#"{"cron_job":{"#, 6, "unknown variant `cron_job`"),
        (r#"{"run":{"id":1"#, r#"{"task":{},"run":{"id":1"#, 7, "missing field `id`"),
        (r#""title":"two""#, r#""title":"two","colour":"red""#, 5, "unknown field `colour`"),
        (r#""title":"two""#, r#""title":"two","title":"three""#, 5, "duplicate field `title`"),
        (r#""title":"two","#, "", 5, "missing field `title`"),
        (r#""title":"two""#, r#""title":2"#, 5, "invalid type: integer `2`, expected a string"),
        (r#""title":"two""#, r#""title":"\ud800""#, 5, "unexpected end of hex escape"),
        // Limits.
        (r#""title":"two""#, &long, 5, "title is 1025 bytes long; the limit is 1024"),
        (r#""title":"two""#, r#""title":"\u0000""#, 5, "title must not contain NUL (U+0000)"),
        (r#""name":"kept""#, r#""name":"""#, 2, "name must not be empty"),
        (r#""key":"k1""#, r#""key":"""#, 4, "key must not be empty"),
        (r#""dismissed_by":"ben""#, r#""dismissed_by":"""#, 4, "dismissed_by must not be empty"),
        (r#""phase":"phase""#, r#""phase":"\u0000""#, 4, "phase must not contain NUL"),
        (r#""name":"job""#, r#""name":"""#, 6, "name must not be empty"),
        (r#""uid":"u""#, r#""uid":"\u0000""#, 6, "uid must not contain NUL"),
        // Ids.
        (r#"{"task":{"id":2"#, r#"{"task":{"id":0"#, 5, "task_id is \"0\""),
        (r#"{"task":{"id":2"#, r#"{"task":{"id":9223372036854775807"#, 5, "id is \"9223372036854775807\""),
        (r#"{"task":{"id":2"#, r#"{"task":{"id":1"#, 5, "task 1 was there before"),
        (r#"{"configuration":{"id":2"#, r#"{"configuration":{"id":1"#, 3, "configuration 1 was there before"),
        (r#"{"run":{"id":2"#, r#"{"run":{"id":1"#, 8, "run 1 was there before"),
        (r#""key":"r2""#, r#""key":"r1""#, 8, "run key r1 was there before"),
        (r#""key":"m2""#, r#""key":"m1""#, 4, "message key m1 was there before"),
        (r#""key":"e2""#, r#""key":"e1""#, 7, "event key e1 was there before"),
        // References.
        (r#""configuration_id":1"#, r#""configuration_id":7"#, 4, "there is no configuration 7 in the export"),
        (
            r#""configuration_name":"kept""#,
            r#""configuration_name":"other""#,
            4,
            "configuration_name must be the name of",
        ),
        (
            r#""configuration_id":1,"configuration_name":"kept""#,
            r#""configuration_id":2,"configuration_name":"gone""#,
            4,
            "configuration_id must tell whether the configuration was deleted",
        ),
        (
            r#""configuration_id":1,"#,
            r#""configuration_id":null,"#,
            4,
            "configuration_name must be empty without a configuration",
        ),
        (
            r#""deleted_configuration_id":2"#,
            r#""deleted_configuration_id":2,"configuration_id":1"#,
            5,
            "duplicate field `configuration_id`",
        ),
        (
            r#""deleted_configuration_id":null"#,
            r#""deleted_configuration_id":2"#,
            4,
            "deleted_configuration_id must not be there beside",
        ),
        (
            r#""system_task":"00000000-0000-0000-0000-000000000001""#,
            r#""system_task":"00000000-0000-0000-0000-000000000002""#,
            7,
            "there is no system task 00000000-0000-0000-0000-000000000002",
        ),
        (
            r#""shown_run":1"#,
            r#""shown_run":2"#,
            6,
            "there is no finished run of the system task with id 2 in the export",
        ),
        (
            r#""shown_run":1"#,
            r#""shown_run":3"#,
            6,
            "there is no finished run of the system task with id 3 in the export",
        ),
        // Times.
        (
            r#""started":"2026-01-01T00:00:00Z""#,
            r#""started":"2262-05-01T00:00:00Z""#,
            4,
            "an RFC 3339 time between the years 1678 and 2261",
        ),
        (
            r#""started":"2026-01-01T00:00:00Z""#,
            r#""started":"2026-01-01T00:00:00.1234567890Z""#,
            4,
            "at most nine fraction digits",
        ),
        (r#""started":"2026-01-01T00:00:00Z""#, r#""started":"yesterday""#, 4, "an RFC 3339 time"),
        (
            r#""started":"2026-01-01T00:00:00Z""#,
            r#""started":"2026-01-01T00:00:02.5Z""#,
            4,
            "finished must not be before started",
        ),
        (
            r#""started":"2026-01-01T00:00:00Z""#,
            r#""started":"2027-01-01T00:00:00Z""#,
            4,
            "updated must not be before started",
        ),
        (
            r#""finished":"2026-01-01T00:00:02Z""#,
            r#""finished":"2026-01-01T00:00:09Z""#,
            4,
            "finished must not be after updated",
        ),
        (
            r#""finished":"2026-01-01T00:00:04Z""#,
            r#""finished":"2025-01-01T00:00:00Z""#,
            7,
            "finished must not be before started",
        ),
        // States.
        (r#""outcome":"finished""#, r#""outcome":"lost""#, 4, "unknown variant `lost`"),
        (
            r#""outcome":"finished""#,
            r#""outcome":null"#,
            4,
            "finished must be there if and only if there is an outcome",
        ),
        (
            r#""finished":"2026-01-01T00:00:02Z""#,
            r#""finished":null"#,
            4,
            "finished must be there if and only if there is an outcome",
        ),
        (
            r#""dismissed_by":"ben""#,
            r#""dismissed_by":null"#,
            4,
            "dismissed must be there if and only if there is a dismissed_by",
        ),
        (
            r#""outcome":"finished","started":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:00:03Z","finished":"2026-01-01T00:00:02Z""#,
            r#""started":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:00:03Z""#,
            4,
            "dismissed must not be there without an outcome",
        ),
        (r#""done":1"#, r#""done":9223372036854775808"#, 4, "done is \"9223372036854775808\""),
        (r#""total":2"#, r#""total":18446744073709551615"#, 4, "total is \"18446744073709551615\""),
        (r#""total":2"#, r#""total":-2"#, 4, "invalid value: integer `-2`"),
        (r#""status":"successful""#, r#""status":null"#, 7, "status must be there once the run has finished"),
        (
            r#""duration":{"secs":1,"nanos":0}"#,
            r#""duration":null"#,
            7,
            "duration must be there if and only if there is a finished",
        ),
        (r#""duration":{"secs":1,"nanos":0}"#, r#""duration":{"secs":9223372037,"nanos":0}"#, 7, "duration is"),
        (
            r#""status":null,"interrupted":false"#,
            r#""status":null,"interrupted":true"#,
            8,
            "interrupted must be false while the run is in progress",
        ),
        (
            r#""finished":null,"duration":null,"expires":null"#,
            r#""expires":"2026-01-01T00:00:00Z""#,
            8,
            "expires must not be there while the run is in progress",
        ),
        (
            r#""expires":"2026-01-01T06:00:04Z""#,
            r#""expires":"2026-01-01T06:00:05Z""#,
            7,
            "expires must be expires_after behind finished",
        ),
        (
            r#""expires":"2026-01-01T06:00:04Z""#,
            r#""expires":null"#,
            7,
            "expires must be expires_after behind finished",
        ),
        (r#""secs":21600"#, r#""secs":9000000000"#, 7, "expires must be expires_after behind finished"),
        (
            r#""expires":"2026-01-01T06:00:04Z""#,
            r#""expires":"2026-01-01T00:00:03Z""#,
            7,
            "expires must not be before finished",
        ),
        (
            r#""only_on_failure":false"#,
            r#""only_on_failure":true"#,
            7,
            "only_on_failure must be false for a successful run that is the shown_run",
        ),
        // Messages, events, and how many.
        (r#""message_count":2"#, r#""message_count":3"#, 4, "it says that there are 3 messages, and there are 2"),
        (r#""message_count":2"#, r#""message_count":1"#, 4, "it says that there are 1 messages, and there are 2"),
        (r#""event_count":2"#, r#""event_count":1"#, 7, "it says that there are 1 events, and there are 2"),
        (
            r#"{"seq":2,"time":"2026-01-01T00:00:01Z""#,
            r#"{"seq":3,"time":"2026-01-01T00:00:01Z""#,
            4,
            "seq must count the entries from 1 without a gap",
        ),
        (
            r#"{"seq":1,"time":"2026-01-01T00:00:01Z""#,
            r#"{"seq":0,"time":"2026-01-01T00:00:01Z""#,
            4,
            "seq must count the entries from 1 without a gap",
        ),
        (
            r#""level_reached":"warn""#,
            r#""level_reached":"error""#,
            4,
            "level_reached must be the highest level of the messages",
        ),
        (
            r#""level_reached":"warn""#,
            r#""level_reached":null"#,
            4,
            "level_reached must be the highest level of the messages",
        ),
        (r#""attributes":{}"#, r#""attributes":[]"#, 7, "attributes must be a JSON object, or the text of one"),
        (r#""attributes":{}"#, r#""attributes":"{} {}""#, 7, "attributes must be a JSON object, or the text of one"),
        (
            r#"{"run":{"id":2"#,
            "{\"messages\":{\"task_id\":2,\"messages\":[]}}\n{\"run\":{\"id\":2",
            8,
            "task_id must be that of the task before",
        ),
        (
            r#"{"run":{"id":2"#,
            "{\"events\":{\"run_id\":9,\"events\":[]}}\n{\"run\":{\"id\":2",
            8,
            "run_id must be that of the run before",
        ),
        // The end.
        (r#""tasks":2,"messages""#, r#""tasks":3,"messages""#, 9, "it says that there are 3 tasks, and there are 2"),
        (r#""runs":2,"events":2"#, r#""runs":2,"events":1"#, 9, "it says that there are 1 events, and there are 2"),
        ("{\"end\":", "\n{\"end\":", 9, "EOF while parsing a value"),
        (
            "{\"end\":",
            "{\"taskstore_export\":{\"version\":1,\"last_ids\":{\"configuration\":0,\"task\":0,\"run\":0}}}\n{\"end\":",
            9,
            "behind the end",
        ),
    ];
    let store = temporary();
    start(&store, "before");
    let before = exported(&store);
    for (from, to, line, expected) in broken {
        assert!(lines.contains(from), "no {from} in\n{lines}");
        let error = store.import(lines.replacen(from, to, 1).as_bytes()).unwrap_err();
        let told = error.to_string();
        assert_eq!(
            told,
            format!("line {line} of the import was refused, and nothing was imported"),
            "{from} -> {to}: {:?}",
            error
        );
        let problem = error.source().unwrap().to_string();
        assert!(problem.contains(expected), "{from} -> {to}: {problem}");
    }
    for (file, line, expected) in [
        (String::new(), 1, "it is not the first line of an export"),
        ("\n".to_owned(), 1, "it is not the first line of an export"),
        ("\u{1f}\u{8b}\u{8}".to_owned(), 1, "it is not the first line of an export"),
        (format!("{lines}x"), 10, "it stands behind the end of the export"),
        (format!("{lines}{lines}"), 10, "it stands behind the end of the export"),
        (lines.lines().take(8).collect::<Vec<_>>().join("\n"), 8, "the export was cut here"),
        (
            lines.lines().filter(|line| !line.contains("\"two\"")).collect::<Vec<_>>().join("\n"),
            8,
            "it says that there are 2 tasks, and there are 1",
        ),
    ] {
        let (refused, problem) = refusal(store.import(file.as_bytes()));
        assert_eq!(refused, line, "{problem}");
        assert!(problem.to_string().contains(expected), "{problem}");
    }
    assert_eq!(exported(&store), before);
    assert_eq!(store.check().unwrap(), []);
    // The control: what was not broken is taken.
    assert_eq!(store.import(lines.as_bytes()).unwrap().tasks, 2);
}

#[test]
fn one_key_twice_in_a_file_is_refused_also_where_the_store_knows_it() {
    let task = |id: u32| {
        let rest = r#""configuration_name":"","title":"t","performed_by":"","started":"2026-01-01T00:00:00Z","updated":"2026-01-01T00:00:00Z","message_count":0,"key":"k","messages":[]}}"#;
        format!("{{\"task\":{{\"id\":{id},{rest}\n")
    };
    let header = r#"{"taskstore_export":{"version":1,"last_ids":{"configuration":0,"task":0,"run":0}}}"#;
    let end = r#"{"end":{"configurations":0,"tasks":2,"messages":0,"system_tasks":0,"runs":0,"events":0}}"#;
    let lines = format!("{header}\n{}{}{end}", task(1), task(2));
    let store = temporary();
    for known in [false, true] {
        if known {
            store.start_detached(NewTask::new("mine").key("k")).unwrap();
        }
        let (line, problem) = refusal(store.import(lines.as_bytes()));
        assert_eq!((line, problem.to_string().as_str()), (3, "task key k was there before"));
    }
}

#[test]
fn texts_are_held_to_the_limits_of_the_store_that_imports() {
    let store = super::with_texts_up_to(3);
    let (line, problem) = refusal(store.import(exported(&source()).as_bytes()));
    assert_eq!((line, problem.to_string().as_str()), (4, "text is 4 bytes long; the limit is 3"));
}
