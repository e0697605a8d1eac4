//! Lines that are written by a thread of their own, so that nobody else waits for whoever reads them.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::json;

/// How many lines wait to be written. More are left out.
const WAITING_MAX: usize = 1_024;

/// How long the end waits for whoever reads.
const FINISH_TIME_MAX: Duration = Duration::from_secs(1);

/// The thread that writes.
pub struct Lines {
    log: Log,
    finished: Receiver<()>,
}

/// Takes lines, and never waits.
#[derive(Clone)]
pub struct Log {
    lines: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
}

enum Line {
    Line(String),
    /// There is no more.
    End,
}

impl Lines {
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (lines, waiting) = mpsc::sync_channel(WAITING_MAX);
        let (finish, finished) = mpsc::channel();
        let log = Log { lines, dropped: Arc::default() };
        let dropped = Arc::clone(&log.dropped);
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            write(out, &waiting, &dropped);
            // The program may be gone so far that nobody waits.
            let _ = finish.send(());
        })?;
        Ok(Self { log, finished })
    }

    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Writes what is waiting, if somebody reads it.
    pub fn finish(self) {
        let Self { log, finished } = self;
        let mut end = Line::End;
        // A full queue that nobody empties is given up with the rest of the time.
        let begun = std::time::Instant::now();
        while let Err(mpsc::TrySendError::Full(again)) = log.lines.try_send(end) {
            if begun.elapsed() >= FINISH_TIME_MAX {
                return;
            }
            end = again;
            thread::sleep(Duration::from_millis(1));
        }
        let _ = finished.recv_timeout(FINISH_TIME_MAX.saturating_sub(begun.elapsed()));
    }
}

impl Log {
    /// `line` has no line break.
    pub fn line(&self, line: String) {
        if self.lines.try_send(Line::Line(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A time as it is logged.
pub fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn write(mut out: impl Write, waiting: &Receiver<Line>, dropped: &AtomicU64) {
    loop {
        let line = waiting.recv().unwrap_or(Line::End);
        let count = dropped.swap(0, Ordering::Relaxed);
        // If it cannot be written there is nobody left to tell.
        if count > 0 {
            let _ = out.write_all(format!("{}\n", json!({ "time": time(Utc::now()), "dropped": count })).as_bytes());
        }
        match line {
            Line::Line(line) => {
                let _ = out.write_all(format!("{line}\n").as_bytes());
            }
            Line::End => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Takes nothing before it is let, and tells that it has been asked to.
    struct Gated {
        asked: mpsc::Sender<()>,
        go: Receiver<()>,
        taken: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Gated {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.asked.send(());
            // Once the other end is gone it is open.
            let _ = self.go.recv();
            self.taken.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_nobody_takes_is_counted_and_nobody_waits() {
        let ((asked, writing), (go, gate), taken) = (mpsc::channel(), mpsc::channel(), Arc::default());
        let lines = Lines::to(Gated { asked, go: gate, taken: Arc::clone(&taken) }).unwrap();
        let log = lines.log();
        log.line("first".to_owned());
        writing.recv().unwrap();
        for number in 0..WAITING_MAX + 3 {
            log.line(number.to_string());
        }
        drop(go);
        lines.finish();
        let taken = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
        let taken: Vec<&str> = taken.lines().collect();
        assert_eq!((taken.len(), taken[0], taken[2], taken[1_025]), (1_026, "first", "0", "1023"));
        assert!(taken[1].starts_with(r#"{"dropped":3,"time":""#), "{}", taken[1]);
    }

    #[test]
    fn the_end_does_not_wait_for_a_reader_who_never_reads() {
        let ((asked, writing), (_go, gate)) = (mpsc::channel(), mpsc::channel());
        let lines = Lines::to(Gated { asked, go: gate, taken: Arc::default() }).unwrap();
        let log = lines.log();
        log.line("first".to_owned());
        writing.recv().unwrap();
        (0..WAITING_MAX).for_each(|number| log.line(number.to_string()));
        lines.finish();
    }
}
