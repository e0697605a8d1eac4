//! What a writer was answered, held against what is in the file.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;
use taskstore::{Error, NewTask, Result, TaskId, TaskStore};

use crate::support::children::say;
use crate::support::{everything, open};

/// The titles of the tasks that were to be written, by the answer.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    done: BTreeSet<String>,
    refused: BTreeSet<String>,
    unknown: BTreeSet<String>,
}

impl Ledger {
    /// Starts a task, and notes the answer.
    pub(super) fn start(&mut self, store: &TaskStore, title: String) -> Result<TaskId> {
        let answer = store.start_detached(NewTask::new(title.clone()));
        let titles = match &answer {
            Ok(_) => &mut self.done,
            Err(Error::OutcomeUnknown { .. } | Error::FileMoved { written: true, .. }) => &mut self.unknown,
            Err(_) => &mut self.refused,
        };
        assert!(titles.insert(title), "each title is used once");
        answer
    }

    /// Notes what a writer without a store says of itself.
    pub(super) fn note<E>(&mut self, title: &str, answer: &Result<(), E>) {
        let titles = if answer.is_ok() { &mut self.done } else { &mut self.refused };
        assert!(titles.insert(title.to_owned()), "each title is used once");
    }

    pub(super) fn done(&self) -> usize {
        self.done.len()
    }

    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    pub(super) fn unknown(&self) -> usize {
        self.unknown.len()
    }

    pub(super) fn absorb(&mut self, mut other: Self) {
        self.done.append(&mut other.done);
        self.refused.append(&mut other.refused);
        self.unknown.append(&mut other.unknown);
    }

    /// In a child: tells the test.
    pub(super) fn say(&self) {
        for (answer, titles) in [("done", &self.done), ("refused", &self.refused), ("unknown", &self.unknown)] {
            titles.iter().for_each(|title| say(&format!("{answer} {title}")));
        }
    }

    /// What a child has told.
    pub(super) fn of(said: &[String]) -> Self {
        let mut ledger = Self::default();
        for line in said {
            match line.split_once(' ') {
                Some(("done", title)) => ledger.done.insert(title.to_owned()),
                Some(("refused", title)) => ledger.refused.insert(title.to_owned()),
                Some(("unknown", title)) => ledger.unknown.insert(title.to_owned()),
                _ => continue,
            };
        }
        ledger
    }

    /// What is wrong with a file in which these titles are.
    pub(super) fn problems(&self, found: &[String]) -> Vec<String> {
        let titles: BTreeSet<_> = found.iter().cloned().collect();
        let lost = self.done.difference(&titles).map(|title| format!("{title} is lost"));
        let refused = self.refused.intersection(&titles).map(|title| format!("{title} was refused and is there"));
        let known = |title: &&String| [&self.done, &self.refused, &self.unknown].iter().any(|set| set.contains(*title));
        let strange = titles.iter().filter(|title| !known(title)).map(|title| format!("nobody wrote {title}"));
        let twice = (found.len() > titles.len()).then(|| "a title is there twice".to_owned());
        lost.chain(refused).chain(strange).chain(twice).collect()
    }

    /// The file of a store holds what it should, and is whole.
    #[track_caller]
    pub(super) fn check(&self, path: &Path) {
        let store = open(path);
        assert_eq!(store.check().unwrap(), []);
        assert_eq!(self.problems(&titles(&store)), [""; 0]);
    }
}

/// The titles of all tasks of a store.
pub(super) fn titles(store: &TaskStore) -> Vec<String> {
    everything(store).tasks.into_iter().map(|(task, _)| task.title).collect()
}

/// A writer without a store: each title in a row of its own, and an acknowledgement once SQLite has said `Ok`.
pub(super) struct Plain(Connection);

impl Plain {
    pub(super) fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        connection.pragma_update(None, "synchronous", "normal").unwrap();
        connection.execute("CREATE TABLE IF NOT EXISTS row (title TEXT NOT NULL) STRICT", []).unwrap();
        Self(connection)
    }

    pub(super) fn write(&self, title: &str) -> rusqlite::Result<()> {
        self.0.execute("INSERT INTO row VALUES (?1)", [title]).map(drop)
    }

    pub(super) fn titles(path: &Path) -> Vec<String> {
        let plain = Self::open(path);
        let mut select = plain.0.prepare("SELECT title FROM row").unwrap();
        let titles = select.query_map([], |row| row.get(0)).unwrap();
        titles.collect::<Result<_, _>>().unwrap()
    }
}
