//! Readers that go away or take their time, and a store that fails or changes meanwhile.

use std::io::{self, ErrorKind};

use taskstore::{Batch, Error, Level, Message, NewTask, Task, TaskFilter, TaskStore};

use super::{BOTH, tasks_of, walked, written};
use crate::support::{Slow, files, open, start, task_id, temporary};

/// Takes so many bytes, then fails.
struct Short(Vec<u8>, usize);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = &bytes[..bytes.len().min(self.1 - self.0.len())];
        self.0.extend(taken);
        if taken.is_empty() { Err(ErrorKind::BrokenPipe.into()) } else { Ok(taken.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_goes_away_anywhere_is_an_error_and_has_the_beginning() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        for title in ["one", "two"] {
            let id = start(&store, title);
            store.message(id, Level::Info, "said").unwrap();
        }
        let filter = TaskFilter::new().text("o");
        for (write, action) in BOTH.into_iter().zip(["write the answer", "write the export"]) {
            let whole = written(&store, &filter, write);
            for cut in 0..whole.len() {
                let mut out = Short(Vec::new(), cut);
                let error = write(&store, &filter, &mut out).unwrap_err();
                assert!(matches!(&error, Error::Io { action: told, .. } if *told == action), "{error:?}");
                assert_eq!(out.0, whole.as_bytes()[..cut]);
            }
            let mut out = Short(Vec::new(), whole.len());
            write(&store, &filter, &mut out).unwrap();
        }
    }
}

#[test]
fn a_store_that_fails_in_the_midst_is_its_own_error_and_the_last_line_is_not_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    // The newest is larger than what is written at once, so that a part of it was written when the next one fails.
    for text in ["x", "y"] {
        let id = start(&store, "t");
        store.batch(|batch| (0..3).try_for_each(|_| batch.message(id, Level::Info, text.repeat(50_000)))).unwrap();
    }
    // One of the other's messages is of no level.
    let shell = files::shell(&path);
    shell.execute_batch("PRAGMA ignore_check_constraints = 1; UPDATE message SET level = 9 WHERE task_id = 1").unwrap();
    let mut out = Vec::new();
    let error = store.export_tasks(&TaskFilter::new(), &mut out).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    assert!(!out.is_empty() && out.last() != Some(&b'\n'));
}

#[test]
fn a_slow_reader_gets_one_snapshot_and_holds_up_no_other_call() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        for n in 0..5 {
            let id = start(&store, &n.to_string());
            store.message(id, Level::Info, "x".repeat(50_000)).unwrap();
        }
        for write in BOTH {
            let before = written(&store, &TaskFilter::new(), write);
            let mut written = 0;
            let while_writing = || {
                written += 1;
                let id = start(&store, "meanwhile");
                store.finish(id).unwrap();
                store.message(task_id(1), Level::Info, "meanwhile").unwrap();
            };
            let mut out = Slow::new(while_writing);
            write(&store, &TaskFilter::new(), &mut out).unwrap();
            assert!(out.taken == before.as_bytes());
            assert!(written > 0);
        }
    }
}

#[test]
fn each_export_is_one_snapshot_while_another_thread_writes_pairs() {
    let store = temporary();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for pair in 0..100 {
                let both = store.batch(|batch| {
                    let new = || NewTask::new(pair.to_string());
                    Ok::<_, Error>([batch.start_detached(new())?, batch.start_detached(new())?])
                });
                let both = both.unwrap();
                store.batch(|batch| both.iter().try_for_each(|id| batch.message(*id, Level::Info, "said"))).unwrap();
                store.batch(|batch| both.iter().try_for_each(|id| batch.finish(*id))).unwrap();
            }
        });
        let mut exports = 0;
        while !writer.is_finished() || exports == 0 {
            let lines = written(&store, &TaskFilter::new(), BOTH[1]);
            for pair in tasks_of(&lines).chunks(2) {
                let [one, other] = pair else { panic!("half a pair: {pair:?}") };
                let seen = |(task, messages): &(Task, Vec<Message>)| (task.title.clone(), task.outcome, messages.len());
                assert_eq!(seen(one), seen(other));
            }
            exports += 1;
        }
        writer.join().unwrap();
    });
    assert_eq!(walked(&store, &TaskFilter::new()).len(), 200);
}

/// What each write ended with.
#[derive(Default)]
struct Ends(Vec<u8>);

impl io::Write for Ends {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend(bytes.last());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_export_is_given_on_with_no_newline_at_its_end_until_all_is_written() {
    // Around what is written at once, so that a line ends just there.
    let lengths = 64_900..65_500;
    let store = temporary();
    let record = |batch: &Batch<'_>, bytes: usize| {
        let new = |title| NewTask::new(title).performed_by(bytes.to_string());
        batch.start_detached(new("behind"))?;
        batch.message(batch.start_detached(new("long"))?, Level::Info, "x".repeat(bytes))
    };
    store.batch(|batch| lengths.clone().try_for_each(|bytes| record(batch, bytes))).unwrap();
    for bytes in lengths {
        let mut ends = Ends::default();
        let both = TaskFilter::new().performed_by(bytes.to_string());
        assert_eq!(store.export_tasks(&both, &mut ends).unwrap(), 2);
        assert_eq!(ends.0.pop(), Some(b'\n'));
        assert!(!ends.0.is_empty() && !ends.0.contains(&b'\n'), "{bytes} bytes: {:?}", ends.0);
    }
}
