//! Eight processes that write and eight that read, as fast as they can.

use std::path::Path;

use taskstore::OpenOptions;

use super::event::Event;
use super::{file, judge, operations, work};
use crate::support::children::{Children, role, say, wait_for_go};
use crate::support::options;

const TEST: &str = "history::processes::what_eight_processes_write_and_eight_read_is_one_history";
const WRITERS: usize = 8;
const READERS: usize = 8;

/// Runs each in a thread, and gives all that they told.
fn threads(count: usize, run: impl Fn(usize, &mut Vec<Event>) + Sync) -> Vec<Event> {
    std::thread::scope(|scope| {
        let run = &run;
        let started = (0..count).map(|number| {
            scope.spawn(move || {
                let mut told = Vec::new();
                run(number, &mut told);
                told
            })
        });
        let started: Vec<_> = started.collect();
        started.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

/// One of the processes: the roles are `writer 0` to `writer 7`, and `reader 8` to `reader 15`.
fn child(role: &str, path: &Path) {
    let (kind, number) = role.split_once(' ').unwrap();
    let process: usize = number.parse().unwrap();
    let calls = operations() / (WRITERS + READERS);
    // Each durability has to keep its word beside the other.
    let store = if process == 0 { OpenOptions::new() } else { options() }.open(path).unwrap();
    wait_for_go();
    let told = if kind == "writer" {
        let count = 1 + process % 3;
        threads(count, |thread, told| {
            let who = format!("{process}.{thread}");
            work::write_and_read(&store, &who, calls / count, &mut |event| told.push(event));
        })
    } else {
        threads(1, |_, told| {
            let mut seen = 0;
            (0..calls).for_each(|_| work::follow(&store, &mut seen, &mut |event| told.push(event)));
        })
    };
    told.iter().for_each(|event| say(&event.to_string()));
}

/// A call that is busy fails its process, and so the test.
#[test]
fn what_eight_processes_write_and_eight_read_is_one_history() {
    if let Some((role, path)) = role() {
        return child(&role, &path);
    }
    let directory = tempfile::tempdir().unwrap();
    let (path, store) = file(directory.path());
    let roles: Vec<_> = (0..WRITERS)
        .map(|process| format!("writer {process}"))
        .chain((WRITERS..WRITERS + READERS).map(|process| format!("reader {process}")))
        .collect();
    let roles: Vec<_> = roles.iter().map(String::as_str).collect();
    let told = Children::ready(TEST, &roles, &path).go();
    assert_eq!(judge(&path, &store, told.iter().flatten()), []);
    println!("{}", fairness(&told[..WRITERS]));
}

/// How many writes of each process were acknowledged when the first of them was through. It is told, not asserted: what
/// else the machine does has its part in it.
fn fairness(told: &[Vec<String>]) -> String {
    let acknowledged: Vec<Vec<u64>> = told
        .iter()
        .map(|lines| {
            let times = lines.iter().filter_map(|line| match Event::parse(line) {
                Some(Event::Acknowledged { at, .. }) => Some(at),
                _ => None,
            });
            times.collect()
        })
        .collect();
    let first_through = acknowledged.iter().filter_map(|times| times.iter().max()).min().unwrap();
    let counts = acknowledged.iter().map(|times| times.iter().filter(|at| *at <= first_through).count());
    format!("acknowledged when the first was through: {:?}", counts.collect::<Vec<_>>())
}
