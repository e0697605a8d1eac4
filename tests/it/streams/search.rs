//! A search that finds nothing can be ended by its reader.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::{Clock, Error, TaskFilter, TaskStore};

use super::BOTH;
use crate::support::{options, start};

/// A clock on which so much time passes whenever it is asked.
#[derive(Debug)]
struct Passing(Duration, Mutex<Duration>);

impl Clock for Passing {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        let mut now = self.1.lock().unwrap();
        *now += self.0;
        *now
    }
}

/// Twenty tasks of which the newest but one is found.
fn store(passes: Duration) -> TaskStore {
    let store = options().clock(Passing(passes, Mutex::default())).open_temporary().unwrap();
    for number in 1..=20 {
        start(&store, if number == 19 { "needle" } else { "hay" });
    }
    store
}

/// Keeps what it is given, with `|` for a flush, and fails at the flush of this number.
#[derive(Default)]
struct Reader {
    taken: String,
    flushes: usize,
    gone_at: Option<usize>,
}

impl io::Write for Reader {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.taken.push_str(std::str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.taken.push('|');
        self.flushes += 1;
        if self.gone_at == Some(self.flushes) { Err(ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

#[test]
fn what_was_found_arrives_about_once_a_second_while_the_search_goes_on() {
    // The clock is asked once before and once for each of the nineteen that are no needle.
    for (passes_ms, flushes) in [(0, 1), (40, 1), (100, 2), (1_000, 20), (5_000, 20)] {
        let store = store(Duration::from_millis(passes_ms));
        for write in BOTH {
            let mut reader = Reader::default();
            write(&store, &TaskFilter::new().text("needle"), &mut reader).unwrap();
            assert_eq!(reader.flushes, flushes, "{passes_ms} ms: {}", reader.taken);
            let (first, rest) = reader.taken.split_once('|').unwrap();
            // With a flush at each task, the first comes before the needle was found.
            assert_eq!(first.contains("needle"), passes_ms < 1_000, "{first}");
            assert_eq!(rest.contains("needle"), passes_ms >= 1_000, "{rest}");
        }
    }
}

#[test]
fn a_reader_that_has_gone_ends_the_search() {
    let store = store(Duration::from_millis(300));
    for write in BOTH {
        let mut reader = Reader { gone_at: Some(2), ..Reader::default() };
        let error = write(&store, &TaskFilter::new().text("needle"), &mut reader).unwrap_err();
        let told = matches!(&error, Error::Io { source, .. } if source.kind() == ErrorKind::BrokenPipe);
        assert!(told, "{error:?}");
        assert!(reader.taken.contains("needle") && reader.taken.ends_with('|'), "{}", reader.taken);
        assert_eq!(reader.flushes, 2);
    }
}

#[test]
fn a_list_without_a_text_is_flushed_once_at_its_end() {
    let store = store(Duration::from_secs(5));
    for write in BOTH {
        let mut reader = Reader::default();
        write(&store, &TaskFilter::new(), &mut reader).unwrap();
        assert_eq!((reader.flushes, reader.taken.ends_with('|')), (1, true));
    }
}
