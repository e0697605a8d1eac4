//! Processes whose futures write until they are killed: what each was answered is there, once, and the call that it was in has
//! happened or has not.

use std::path::Path;
use std::time::Duration;

use taskstore::{AsyncTaskStore, Level, NewTask, Outcome, TaskFilter, TaskId, TaskStore};
use tokio::runtime::Builder;

use crate::support::children::{Telling, role, say};
use crate::support::random::{Random, rounds};
use crate::support::{open, texts};

const TEST: &str = "async_store::killed::what_a_killed_process_of_futures_was_answered_is_there";
const FUTURES: usize = 8;

/// In the process: each future goes through the lives of tasks, one after the other, of three calls each.
fn live(role: &str, path: &Path) {
    let (life, manner) = role.split_once(' ').unwrap();
    let hasty = manner == "hasty";
    let runtime = Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = AsyncTaskStore::from(open(path));
    let writers: Vec<_> = (0..FUTURES)
        .map(|future| {
            let (store, who) = (store.clone(), format!("{life}.{future}"));
            runtime.spawn(async move {
                let mut id = None;
                for call in 0_u64.. {
                    if hasty {
                        say(&who);
                    }
                    make(&store, &who, call, &mut id).await;
                    if !hasty {
                        say(&who);
                    }
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| runtime.block_on(writer).unwrap());
}

async fn make(store: &AsyncTaskStore, who: &str, call: u64, id: &mut Option<TaskId>) {
    match call % 3 {
        0 => *id = Some(store.start_detached(NewTask::new(who).performed_by(who)).await.unwrap()),
        1 => store.message(id.unwrap(), Level::Info, "one").await.unwrap(),
        _ => store.finish(id.unwrap()).await.unwrap(),
    }
}

/// The messages of each task of a future, and whether it has finished, after so many calls.
fn expected(calls: u64) -> Vec<(usize, bool)> {
    let mut tasks = vec![(1, true); (calls / 3) as usize];
    tasks.extend([(0, false), (1, false)].into_iter().take(calls as usize % 3).next_back());
    tasks
}

fn left(store: &TaskStore, who: &str) -> Vec<(usize, bool)> {
    let mut filter = TaskFilter::new().performed_by(who).limit(1_000);
    let mut left = Vec::new();
    loop {
        let page = store.list(&filter).unwrap();
        left.extend(
            page.items.iter().map(|task| (texts(store, task.id).len(), task.outcome == Some(Outcome::Finished))),
        );
        let Some(next) = page.next else { break };
        filter = filter.cursor(next);
    }
    left.reverse();
    left
}

/// Kills so many processes on one file, and tells what was wrong first.
fn kill_again_and_again(manner: &str, kills: usize) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let mut random = Random::new();
    for life in 0..kills {
        let mut child = Telling::start(TEST, &format!("{life} {manner}"), &path);
        let mut told = vec![child.next()];
        std::thread::sleep(Duration::from_micros(5_000 + random.below(40_000)));
        told.extend(child.kill());
        let store = open(&path);
        for who in (0..FUTURES).map(|future| format!("{life}.{future}")) {
            let answered = told.iter().filter(|told| **told == who).count() as u64;
            let left = left(&store, &who);
            if ![answered, answered + 1].map(expected).contains(&left) {
                return Err(format!("after {answered} answers {who} has left {left:?}"));
            }
        }
        let findings = store.check().unwrap();
        if !findings.is_empty() {
            return Err(format!("{findings:?}"));
        }
    }
    Ok(())
}

#[test]
fn what_a_killed_process_of_futures_was_answered_is_there() {
    if let Some((role, path)) = role() {
        return live(&role, &path);
    }
    kill_again_and_again("honest", rounds(15)).unwrap();
}

/// The control: what it says that it has done it is only about to do.
#[test]
fn a_process_of_futures_that_tells_of_a_call_before_it_is_made_is_found() {
    kill_again_and_again("hasty", 100).expect_err("nothing was found");
}
