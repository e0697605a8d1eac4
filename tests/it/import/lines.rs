//! What lines are like, and what is taken as one.

use rusqlite::params;
use serde_json::value::RawValue;
use taskstore::{ExportLine, Level, LogEvent, LogLevel, NewTask, Outcomes, TaskFilter, TaskStore};

use super::{exported, imported};
use crate::support::{everything, files, messages, open, start, temporary};

fn kinds(lines: &str) -> Vec<&str> {
    lines.lines().map(|line| line.split('"').nth(1).unwrap()).collect()
}

#[test]
fn what_a_task_or_run_says_at_length_goes_on_in_lines_of_a_megabyte() {
    let store = temporary();
    let id = start(&store, "long");
    let text = "\u{1}\"".repeat(100_000);
    store
        .batch(|batch| {
            for number in 0..9 {
                batch.message_once(id, number.to_string(), Level::Warn, text.as_str())?;
            }
            let run = batch.start_run("long", None, taskstore::RunOptions::new())?;
            for number in 0..9 {
                batch.log(&run, LogEvent::new(LogLevel::Info, text.as_str()).key(number.to_string()))?;
            }
            batch.finish_run(&run)
        })
        .unwrap();
    let lines = exported(&store);
    let (more_messages, more_events) = (vec!["messages"; 4], vec!["events"; 4]);
    let expected =
        [vec!["taskstore_export", "task"], more_messages, vec!["system_task", "run"], more_events, vec!["end"]]
            .concat();
    assert_eq!(kinds(&lines), expected);
    assert!(lines.lines().all(|line| line.len() < (1 << 20) + 900_000));
    for line in lines.lines() {
        let read: ExportLine = serde_json::from_str(line).unwrap();
        assert!(serde_json::to_string(&read).unwrap() == line);
    }
    let other = imported(&lines);
    assert!(everything(&other) == everything(&store));
    assert!(exported(&other) == lines);
    assert_eq!(other.check().unwrap(), []);
}

#[test]
fn attributes_keep_their_text_also_with_line_breaks() {
    let store = temporary();
    let run = store.system_tasks().start("job", None).unwrap();
    let texts = ["{\n \"b\": 1.0,\r\n \"a\":1e5}", r#"{"a\nb" : "\u0000"}"#];
    for text in texts {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        run.log(LogEvent::new(LogLevel::Info, "said").attributes(raw).unwrap()).unwrap();
    }
    let id = run.detach().unwrap().id();
    let lines = exported(&store);
    assert_eq!(lines.lines().count(), 4);
    let other = imported(&lines);
    let events = other.system_tasks().events(id, 0, 10).unwrap();
    assert_eq!(events.iter().map(|event| event.attributes.as_str()).collect::<Vec<_>>(), texts);
}

#[test]
fn line_ends_of_another_system_a_byte_order_mark_and_blank_lines_at_the_end_are_taken() {
    let store = temporary();
    let id = start(&store, "t");
    store.message(id, Level::Info, "one\r\ntwo").unwrap();
    let lines = exported(&store);
    let unended = lines.trim_end();
    for foreign in
        [lines.replace('\n', "\r\n"), format!("\u{feff}{lines}"), format!("{lines}\n \r\n\n"), unended.to_owned()]
    {
        let other = imported(&foreign);
        assert_eq!(everything(&other), everything(&store));
    }
}

#[test]
fn what_is_null_may_be_left_out() {
    let lines = [
        r#"{"taskstore_export":{"version":1,"last_ids":{"configuration":0,"task":0,"run":0}}}"#,
        concat!(
            r#"{"task":{"id":1,"configuration_name":"","title":"by hand","performed_by":"","#,
            r#""started":"2026-11-21T12:00:00+01:00","updated":"2026-11-21T12:00:00Z","message_count":0,"messages":[]}}"#
        ),
        r#"{"end":{"configurations":0,"tasks":1,"messages":0,"system_tasks":0,"runs":0,"events":0}}"#,
    ];
    let store = imported(&lines.join("\n"));
    assert_eq!(everything(&store).tasks[0].0.title, "by hand");
}

#[test]
fn what_is_no_utf_8_comes_with_replacement_characters() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let configuration = store.configurations().add("c").unwrap();
    let id = store.start_detached(NewTask::new("t").configuration(configuration)).unwrap();
    store.message(id, Level::Info, "said").unwrap();
    let run = store.system_tasks().start("job", None).unwrap();
    run.info("said", ()).unwrap();
    run.finish().unwrap();
    let shell = files::shell(&path);
    for sql in [
        "UPDATE task SET title = CAST(x'41ff42' AS TEXT)",
        "UPDATE configuration SET name = CAST(x'ff' AS TEXT)",
        "UPDATE message SET text = CAST(x'c328' AS TEXT)",
        "UPDATE system_task SET description = CAST(x'ff' AS TEXT)",
        "UPDATE log_event SET event = CAST(x'ff' AS TEXT), attributes = '{no json}'",
    ] {
        shell.execute(sql, params![]).unwrap();
    }
    let other = imported(&exported(&store));
    let tasks = everything(&other).tasks;
    assert_eq!((tasks[0].0.title.as_str(), tasks[0].0.configuration_name.as_str()), ("A\u{fffd}B", "\u{fffd}"));
    assert_eq!(messages(&other, id)[0].text, "\u{fffd}(");
    assert_eq!(other.check().unwrap(), []);
}

#[test]
fn an_export_of_some_tasks_is_imported_with_their_configurations_and_in_their_order() {
    let store = temporary();
    let configurations: Vec<_> =
        ["one", "two", "gone", "unused"].map(|name| store.configurations().add(name).unwrap()).into();
    for number in 0..12 {
        let new = NewTask::new(number.to_string()).configuration(configurations[number % 3]);
        let id = store.start_detached(new).unwrap();
        store.finish(id).unwrap();
    }
    let unfinished = start(&store, "left out");
    store.configurations().delete(configurations[2]).unwrap();

    let mut lines = Vec::new();
    let filter = TaskFilter::new().outcomes(Outcomes::FINISHED);
    assert_eq!(store.export_tasks(&filter, &mut lines).unwrap(), 12);
    let lines = String::from_utf8(lines).unwrap();
    let other = imported(&lines);
    let (mine, theirs) = (everything(&store), everything(&other));
    assert_eq!(theirs.tasks, mine.tasks[..12]);
    assert_eq!(theirs.configurations.len(), 2);
    assert!(start(&other, "next") > unfinished);

    // Newest first, as the filter has it, and with other ids: the order of the starts stays.
    let third = temporary();
    start(&third, "before");
    assert_eq!(third.import(lines.as_bytes()).unwrap().tasks, 12);
    let titles: Vec<_> = everything(&third).tasks.into_iter().map(|(task, _)| task.title).collect();
    let expected: Vec<_> = std::iter::once("before".to_owned()).chain((0..12).map(|n| n.to_string())).collect();
    assert_eq!(titles, expected);
    assert_eq!(third.check().unwrap(), []);
}

#[test]
fn an_import_does_not_ask_the_clock() {
    let store = temporary();
    start(&store, "t");
    let clock = crate::support::ManualClock::at(chrono::DateTime::<chrono::Utc>::MAX_UTC);
    let other = crate::support::options().clock(clock).open_temporary().unwrap();
    other.import(exported(&store).as_bytes()).unwrap();
    assert_eq!(everything(&other), everything(&store));
}

#[test]
fn a_call_of_the_store_by_what_is_read_is_refused_and_a_store_that_only_reads_imports_nothing() {
    /// Calls the store.
    struct Calls<'a>(&'a TaskStore);

    impl std::io::Read for Calls<'_> {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            let error = self.0.start_detached(NewTask::new("inside")).unwrap_err();
            assert!(matches!(error, taskstore::Error::InsideBatch), "{error:?}");
            Err(std::io::Error::other("enough"))
        }
    }

    let store = temporary();
    let error = store.import(std::io::BufReader::new(Calls(&store))).unwrap_err();
    assert!(matches!(error, taskstore::Error::Io { action: "read the import", .. }), "{error:?}");

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    open(&path).close().unwrap();
    let reader = crate::support::options().read_only(true).open(&path).unwrap();
    assert!(matches!(reader.import(exported(&store).as_bytes()), Err(taskstore::Error::ReadOnly)));
}
