//! Processes that are killed while they write.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use taskstore::OpenOptions;

use super::{file, judge, operations, work};
use crate::support::children::{Telling, role, say};
use crate::support::options;

const TEST: &str = "history::killed::nothing_that_a_killed_process_told_is_lost";
const PROCESSES: usize = 8;

/// Between one and fifty.
fn some() -> u64 {
    1 + RandomState::new().hash_one(()) % 50
}

/// Starts a process again and again, and kills it once it has told some things. It goes on while they are read, and so is
/// killed anywhere.
fn kill_again_and_again(process: usize, times: usize, path: &Path) -> Vec<String> {
    let mut told = Vec::new();
    for life in 0..times {
        let mut child = Telling::start(TEST, &format!("{process}.{life}"), path);
        told.extend((0..some()).map(|_| child.next()));
        told.extend(child.kill());
    }
    told
}

#[test]
fn nothing_that_a_killed_process_told_is_lost() {
    if let Some((who, path)) = role() {
        let store = if who.starts_with('0') { OpenOptions::new() } else { options() }.open(path).unwrap();
        return work::write_and_read(&store, &who, usize::MAX, &mut |event| say(&event.to_string()));
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, store) = file(directory.path());
    let times = operations().div_ceil(1_000 * PROCESSES);
    let told: Vec<_> = std::thread::scope(|scope| {
        let path = &path;
        let killers = (0..PROCESSES).map(|process| scope.spawn(move || kill_again_and_again(process, times, path)));
        let killers: Vec<_> = killers.collect();
        killers.into_iter().flat_map(|killer| killer.join().unwrap()).collect()
    });
    assert_eq!(judge(&path, &store, &told), []);
    assert!(told.iter().any(|line| line.starts_with("acknowledged ")));
}
