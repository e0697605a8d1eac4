//! A process that is killed while it imports.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufReader, Read};
use std::path::Path;

use taskstore::{Error, Level, NewTask, TaskStore};

use super::exported;
use crate::support::children::{Telling, role, say, wait_for_go};
use crate::support::rounds;
use crate::support::{Everything, everything, open, temporary};

const TEST: &str = "import::killed::a_process_that_is_killed_while_it_imports_has_imported_all_or_nothing";
const TASKS: usize = 2_500;

/// Tells of each part that is taken.
struct Told<R>(R);

impl<R: Read> Read for Told<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        say("reads");
        self.0.read(buffer)
    }
}

/// The child: imports what lies beside the database, in one call or, as the control, in two.
fn child(role: &str, path: &Path) {
    let store = open(path);
    let import = |name: &str| {
        #[allow(clippy::disallowed_methods)] // It is no database.
        let file = fs::File::open(path.with_extension(name)).unwrap();
        store.import(BufReader::with_capacity(64 << 10, Told(file))).unwrap();
        say("imported");
    };
    match role {
        "whole" => import("whole"),
        "in halves" => ["first", "second"].into_iter().for_each(import),
        other => panic!("no role {other}"),
    }
    wait_for_go();
}

fn many(store: &TaskStore, from: usize, to: usize) {
    let record = store.batch(|batch| {
        for number in from..to {
            let id = batch.start_detached(NewTask::new(number.to_string()))?;
            // Enough that not all pages are kept in memory until the commit.
            batch.message(id, Level::Info, "x".repeat(1_500))?;
        }
        Ok::<_, Error>(())
    });
    record.unwrap();
}

/// What there is after the child has told so much and was killed.
fn killed_after(role: &str, told: usize, directory: &Path) -> (Everything, Vec<String>) {
    let path = directory.join("tasks.db");
    for end in ["db", "db-wal", "db-shm"] {
        let _ = fs::remove_file(path.with_extension(end));
    }
    let mut child = Telling::start(TEST, role, &path);
    let mut all: Vec<_> = (0..told).map(|_| child.next()).collect();
    all.extend(child.kill());
    let store = open(&path);
    assert_eq!(store.check().unwrap(), []);
    (everything(&store), all)
}

fn is_all_or_nothing(found: &Everything) -> bool {
    found.tasks.is_empty() || found.tasks.len() == TASKS
}

#[test]
#[allow(clippy::disallowed_methods)] // No database is read or written.
fn a_process_that_is_killed_while_it_imports_has_imported_all_or_nothing() {
    if let Some((role, path)) = role() {
        return child(&role, &path);
    }
    let directory = tempfile::tempdir().unwrap();
    let whole = temporary();
    many(&whole, 0, TASKS);
    let (first, second) = (temporary(), temporary());
    many(&first, 0, TASKS / 2);
    many(&second, TASKS / 2, TASKS);
    for (name, store) in [("whole", &whole), ("first", &first), ("second", &second)] {
        fs::write(directory.path().join("tasks").with_extension(name), exported(store)).unwrap();
    }

    let reads = exported(&whole).len().div_ceil(64 << 10) + 1;
    let (mut nothing, mut all) = (0, 0);
    for round in 0..rounds(12) {
        // Anywhere, and at the end, where it commits.
        let some = usize::try_from(RandomState::new().hash_one(()) % 1_000_000).unwrap();
        let told = match round % 3 {
            _ if round == 0 => 1,
            0 => 1 + some % reads,
            1 => reads,
            _ => reads + 1,
        };
        let (found, said) = killed_after("whole", told, directory.path());
        assert!(is_all_or_nothing(&found), "{} tasks after {} parts", found.tasks.len(), said.len());
        if said.iter().any(|line| line == "imported") {
            assert_eq!(found.tasks.len(), TASKS, "what was acknowledged is lost");
        }
        *(if found.tasks.is_empty() { &mut nothing } else { &mut all }) += 1;
    }
    assert!(nothing > 0 && all > 0, "{nothing} times nothing, {all} times all");

    // The control imports in two calls, and is killed between them: the check sees it.
    let reads_of_first = exported(&first).len().div_ceil(64 << 10) + 1;
    let (found, _) = killed_after("in halves", reads_of_first + 2, directory.path());
    assert!(!is_all_or_nothing(&found), "{} tasks", found.tasks.len());
}
