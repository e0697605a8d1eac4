//! What a server does for processes that have died meanwhile.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use taskstore::TaskStore;

/// How often it looks for them.
pub const EVERY: Duration = Duration::from_secs(10);

/// A thread that interrupts the work of dead processes.
pub struct Recovery {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Recovery {
    pub fn start(store: TaskStore, every: Duration) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let look = move || {
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                // What cannot be done now is tried again, and whoever asks the server learns what is wrong with the file.
                let _ = store.recover();
            }
        };
        let thread = thread::Builder::new().name("recovery".to_owned()).spawn(look)?;
        Ok(Self { stop, thread })
    }

    /// Waits until it has stopped.
    pub fn finish(self) {
        drop(self.stop);
        // It does not panic; if it did, it has stopped.
        let _ = self.thread.join();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use taskstore::{NewTask, Outcome};

    use super::*;

    #[test]
    fn a_server_interrupts_the_work_of_a_process_that_dies_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tasks.db");
        let store = TaskStore::open(&path).unwrap();
        let recovery = Recovery::start(store.clone(), Duration::from_millis(1)).unwrap();
        let id = store.start_detached(NewTask::new("left behind")).unwrap();
        // As it is found when a process has died and its lock file is gone.
        let dead = "INSERT INTO owner VALUES (77, '0123456789abcdef0123456789abcdef', 1234, 0);
            UPDATE task SET owner = 77;";
        rusqlite::Connection::open(&path).unwrap().execute_batch(dead).unwrap();
        let begun = Instant::now();
        while store.task(id).unwrap().outcome.is_none() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            thread::yield_now();
        }
        recovery.finish();
        assert_eq!(store.task(id).unwrap().outcome, Some(Outcome::Interrupted));
        store.close().unwrap();
    }
}
