//! Changes by other processes.

use std::thread;

use taskstore::Level;

use super::{PATIENCE, follow};
use crate::support::children::{Children, Telling, role, say, wait_for_go};
use crate::support::{open, options, start, task_id, texts};

#[test]
fn what_another_process_commits_wakes_those_who_wait() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        wait_for_go();
        return store.message(task_id(1), Level::Info, "theirs").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "t");
    let read_only = options().read_only(true).open(&path).unwrap();
    let test = "change::processes::what_another_process_commits_wakes_those_who_wait";
    let children = Children::ready(test, &["writes"], &path);
    thread::scope(|scope| {
        let followers = [&store, &read_only].map(|store| scope.spawn(move || follow(store, id, 1)));
        children.go();
        for follower in followers {
            assert_eq!(follower.join().unwrap(), ["theirs"]);
        }
    });
}

/// The child answers each message that it finds: one that it missed would be the last.
#[test]
fn two_processes_that_answer_each_other_never_stop() {
    const TURNS: usize = 60;
    if let Some((_, path)) = role() {
        let store = open(&path);
        for turn in (1..TURNS).step_by(2) {
            assert_eq!(follow(&store, task_id(1), turn).len(), turn);
            store.message(task_id(1), Level::Info, "pong").unwrap();
        }
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "t");
    let test = "change::processes::two_processes_that_answer_each_other_never_stop";
    let child = Telling::start(test, "answers", &path);
    for turn in (0..TURNS).step_by(2) {
        store.message(id, Level::Info, "ping").unwrap();
        assert_eq!(follow(&store, id, turn + 2).len(), turn + 2);
    }
    child.kill();
    assert_eq!(texts(&store, id).len(), TURNS);
}

/// Its commit is as good as any: what was acknowledged stays.
#[test]
fn what_a_process_committed_before_it_was_killed_is_noticed() {
    if let Some((_, path)) = role() {
        let store = open(&path);
        store.message(task_id(1), Level::Info, "last words").unwrap();
        say("said");
        store.wait_for_change(store.change_token().unwrap(), PATIENCE).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "t");
    let before = store.change_token().unwrap();
    let test = "change::processes::what_a_process_committed_before_it_was_killed_is_noticed";
    let mut child = Telling::start(test, "dies", &path);
    assert_eq!(child.next(), "said");
    child.kill();
    let token = store.wait_for_change(before, PATIENCE).unwrap().expect("the message is committed");
    assert_eq!(texts(&store, id), ["last words"]);
    // And the next one's.
    start(&open(&path), "after");
    assert!(super::changed(&store, token));
}
