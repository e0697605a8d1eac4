//! Of all that race for one change, one gets it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Barrier;

use taskstore::{Error, NewTask, Outcome, Result, TaskId, TaskState, TaskStore};

use crate::support::children::{Children, role, say, wait_for_go};
use crate::support::rounds;
use crate::support::{everything, finished, open, start, task_id, temporary, texts};

const THREADS: usize = 16;
const ROUNDS: usize = 40;

/// Lets all threads call the same at once, and gives their answers.
fn race(call: impl Fn(usize) -> Result<()> + Sync) -> Vec<Result<()>> {
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let racers: Vec<_> = (0..THREADS)
            .map(|racer| {
                let (barrier, call) = (&barrier, &call);
                scope.spawn(move || {
                    barrier.wait();
                    call(racer)
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

/// The one that won; all others were told what the winner had made of the task.
fn winner(answers: &[Result<()>], id: TaskId, state: TaskState) -> usize {
    let winners: Vec<_> = (0..THREADS).filter(|&racer| answers[racer].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        let told = matches!(error, Error::WrongState { id: named, found, .. } if (*named, *found) == (id, state));
        assert!(told, "{error:?}");
    }
    winners[0]
}

#[test]
fn one_of_sixteen_threads_ends_a_task() {
    let store = temporary();
    for _ in 0..rounds(ROUNDS) {
        let id = start(&store, "raced for");
        let answers =
            race(|racer| if racer < THREADS / 2 { store.finish(id) } else { store.fail(id, format!("{racer}")) });
        let task = store.task(id).unwrap();
        let winner = winner(&answers, id, task.state());
        if winner < THREADS / 2 {
            assert_eq!((task.outcome, texts(&store, id)), (Some(Outcome::Finished), vec![]));
        } else {
            assert_eq!((task.outcome, texts(&store, id)), (Some(Outcome::Failed), vec![winner.to_string()]));
        }
    }
}

#[test]
fn one_of_sixteen_stores_on_one_file_ends_a_task() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let stores: Vec<_> = (0..THREADS).map(|_| open(&path)).collect();
    for _ in 0..rounds(ROUNDS) {
        let id = start(&stores[0], "raced for");
        let answers = race(|racer| stores[racer].fail(id, format!("{racer}")));
        let winner = winner(&answers, id, TaskState::Failed);
        assert_eq!(texts(&stores[0], id), [winner.to_string()]);
    }
}

#[test]
fn one_of_sixteen_threads_dismisses_a_task_and_one_restores_it() {
    let store = temporary();
    for _ in 0..rounds(ROUNDS) {
        let id = finished(&store, "raced for");
        let answers = race(|racer| store.dismiss(id, format!("user {racer}")));
        let first = winner(&answers, id, TaskState::Dismissed);
        let by = format!("user {first}");
        assert_eq!(store.task(id).unwrap().dismissed_by, Some(by.clone()));
        for error in answers.into_iter().filter_map(Result::err) {
            assert!(error.to_string().contains(&format!("dismissed by {by};")), "{error}");
        }
        winner(&race(|_| store.restore(id)), id, TaskState::Finished);
    }
}

#[test]
fn one_of_sixteen_threads_deletes_a_task() {
    let store = temporary();
    for _ in 0..rounds(ROUNDS) {
        let id = finished(&store, "raced for");
        let answers = race(|_| store.delete(id));
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(Error::NotFound { .. }))).count(), THREADS - 1);
    }
    assert_eq!(everything(&store).tasks, []);
}

#[test]
fn messages_of_sixteen_threads_count_without_a_gap_and_none_is_lost() {
    let store = temporary();
    let id = start(&store, "chatty");
    for answer in
        race(|racer| (0..20).try_for_each(|n| store.message(id, taskstore::Level::Info, format!("{racer} {n}"))))
    {
        answer.unwrap();
    }
    let messages = crate::support::messages(&store, id);
    assert!(messages.iter().map(|message| message.seq).eq(1..=320));
    for racer in 0..THREADS {
        let own = messages.iter().filter(|message| message.text.starts_with(&format!("{racer} ")));
        assert!(own.map(|message| message.text.clone()).eq((0..20).map(|n| format!("{racer} {n}"))));
    }
    assert_eq!(store.task(id).unwrap().message_count, 320);
}

const TASKS: i64 = 25;

fn end_every_task(store: &TaskStore, who: &str) {
    for id in 1..=TASKS {
        match store.fail(task_id(id), who) {
            Ok(()) => say(&id.to_string()),
            Err(Error::WrongState { found: TaskState::Failed, .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn one_of_four_processes_ends_a_task() {
    if let Some((who, path)) = role() {
        let store = open(&path);
        wait_for_go();
        return end_every_task(&store, &who);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    for _ in 0..TASKS {
        start(&store, "raced for");
    }
    let roles = ["ann", "bob", "cy", "dee"];
    let said = Children::ready("once::one_of_four_processes_ends_a_task", &roles, &path).go();
    let mut won: Vec<_> = Vec::new();
    for (role, ids) in roles.iter().zip(said) {
        won.extend(ids.iter().map(|id| (id.parse::<i64>().unwrap(), vec![(*role).to_owned()])));
    }
    won.sort();
    let recorded: Vec<_> = (1..=TASKS).map(|id| (id, texts(&store, task_id(id)))).collect();
    assert_eq!(won, recorded);
}

fn start_a_hundred(path: &Path, who: &str) {
    let store = open(path);
    wait_for_go();
    for n in 0..100 {
        let id = store.start_detached(NewTask::new(n.to_string()).performed_by(who)).unwrap();
        say(&format!("{id} {n}"));
    }
}

#[test]
fn two_processes_that_start_tasks_at_once_get_different_ids() {
    if let Some((who, path)) = role() {
        return start_a_hundred(&path, &who);
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let test = "once::two_processes_that_start_tasks_at_once_get_different_ids";
    let said = Children::ready(test, &["ann", "bob"], &path).go();
    let mut ids = BTreeSet::new();
    for (who, lines) in ["ann", "bob"].iter().zip(&said) {
        assert_eq!(lines.len(), 100);
        for line in lines {
            let (id, title) = line.split_once(' ').unwrap();
            let task = store.task(id.parse().unwrap()).unwrap();
            assert_eq!((task.performed_by.as_str(), task.title.as_str()), (*who, title));
            ids.insert(task.id);
        }
    }
    assert_eq!(ids.len(), 200);
}
