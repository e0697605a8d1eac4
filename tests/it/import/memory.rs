//! An import of any size takes memory that does not grow with it.

use std::fs;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use taskstore::{Error, ImportProblem, Level, LogEvent, LogLevel, NewTask, RunOptions};

use super::{exported, refusal, with_texts_up_to};
use crate::support::children::{GROWTH_KIB_MAX, growth, role, say_measure};
use crate::support::{open, temporary};

const TEXT_BYTES: usize = 1_000;

/// Not a test of its own: the process that is measured.
#[test]
#[allow(clippy::disallowed_methods)] // It is no database.
fn the_measured_process() {
    let Some((role, path)) = role() else { return };
    let store = open(&path.with_extension(role.as_str()));
    let lines = path.with_extension("lines");
    let mut collected = Vec::new();
    if role == "streamed" {
        store.import(BufReader::new(fs::File::open(lines).unwrap())).unwrap();
    } else {
        fs::File::open(lines).unwrap().read_to_end(&mut collected).unwrap();
        store.import(collected.as_slice()).unwrap();
    }
    say_measure(collected.len());
}

#[allow(clippy::disallowed_methods)] // It is no database.
fn export_many(path: &Path, tasks: usize, entries_of_one: usize) {
    let store = open(path);
    let text = "x".repeat(TEXT_BYTES);
    store
        .batch(|batch| {
            for _ in 0..tasks {
                let id = batch.start_detached(NewTask::new("t"))?;
                batch.message(id, Level::Info, text.as_str())?;
            }
            let id = batch.start_detached(NewTask::new("t"))?;
            (0..entries_of_one).try_for_each(|_| batch.message(id, Level::Info, text.as_str()))?;
            let run = batch.start_run("job", None, RunOptions::new())?;
            (0..entries_of_one).try_for_each(|_| batch.log(&run, LogEvent::new(LogLevel::Info, text.as_str())))?;
            Ok::<_, Error>(())
        })
        .unwrap();
    store.export(fs::File::create(path.with_extension("lines")).unwrap()).unwrap();
}

#[test]
fn many_tasks_and_one_of_many_messages_are_imported_in_bounded_memory() {
    let directory = tempfile::tempdir().unwrap();
    let [small, large] = ["small.db", "large.db"].map(|name| directory.path().join(name));
    export_many(&small, 1_000, 2_000);
    export_many(&large, 4_000, 8_000);
    let growth = |role| growth("import::memory::the_measured_process", role, &small, &large);
    let (more_kib, _) = growth("streamed");
    assert!(more_kib < GROWTH_KIB_MAX, "{more_kib} KiB more");
    // What it would take to hold it: the measure shows it.
    let (more_kib, more_bytes) = growth("collected");
    assert!(
        more_kib > GROWTH_KIB_MAX && more_kib + GROWTH_KIB_MAX > more_bytes >> 10,
        "{more_kib} KiB for {more_bytes} bytes"
    );
    for role in ["streamed", "collected"] {
        let imported = open(&large.with_extension(role));
        assert_eq!(imported.check().unwrap(), []);
        assert_eq!(imported.counts(None).unwrap().in_progress, 4_001);
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_before_it_is_read() {
    let store = with_texts_up_to(100);
    let header = exported(&temporary()).lines().next().unwrap().to_owned() + "\n{\"task\":{\"title\":\"";
    // A petabyte.
    let endless = Cursor::new(header).chain(BufReader::new(io::repeat(b'x').take(1 << 50)));
    let (line, problem) = refusal(store.import(endless));
    assert_eq!(line, 2);
    let ImportProblem::LineTooLong { bytes_max } = problem else { panic!("{problem:?}") };

    // Just as long as it may be is read, and refused for what it is.
    let header = exported(&temporary()).lines().next().unwrap().to_owned() + "\n";
    for (length, too_long) in [(bytes_max, false), (bytes_max + 1, true)] {
        let lines = Cursor::new(header.clone()).chain(BufReader::new(io::repeat(b' ').take(length as u64)));
        let lines = lines.chain(Cursor::new("\n"));
        let (_, problem) = refusal(store.import(lines));
        assert_eq!(matches!(problem, ImportProblem::LineTooLong { .. }), too_long, "{length}: {problem:?}");
    }
}

#[test]
fn the_longest_line_that_a_store_writes_is_not_too_long() {
    // Each byte of the texts takes six, behind a line that is as good as full.
    let store = temporary();
    let limits = taskstore::Limits::default();
    let (title, name) = ("\u{1}".repeat(limits.title_bytes_max), "\u{1}".repeat(limits.name_bytes_max));
    let configuration = store.configurations().add(name.as_str()).unwrap();
    let new = NewTask::new(title).performed_by(name.as_str()).configuration(configuration).key(name.as_str());
    let id = store.start_detached(new).unwrap();
    store.message(id, Level::Info, "x".repeat((1 << 20) - 10_000)).unwrap();
    store.message_once(id, name.as_str(), Level::Info, "\u{1}".repeat(limits.text_bytes_max)).unwrap();
    let run = store.system_tasks().start(name.as_str(), Some(&name)).unwrap();
    run.info("x".repeat((1 << 20) - 3_000), ()).unwrap();
    // The longest attributes, with a line break.
    let attributes = format!("{{\n\"a\":\"{}\"}}", r"\\".repeat((limits.attributes_bytes_max - 9) / 2));
    let attributes = serde_json::value::RawValue::from_string(attributes).unwrap();
    let event = LogEvent::new(LogLevel::Info, "\u{1}".repeat(limits.text_bytes_max)).attributes(attributes).unwrap();
    run.log(event.key(name.as_str())).unwrap();
    run.finish().unwrap();

    let lines = exported(&store);
    assert!(lines.lines().any(|line| line.len() > 7 << 20), "the lines are short");
    let other = temporary();
    let mut reader = BufReader::new(lines.as_bytes());
    reader.fill_buf().unwrap();
    other.import(reader).unwrap();
    assert!(exported(&other) == lines);
}
