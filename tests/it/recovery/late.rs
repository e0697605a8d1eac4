//! What comes late for work that was interrupted changes nothing.

use taskstore::{Error, Level, LogEvent, LogLevel, NewTask, Outcome, Progress, SystemTaskStatus, TaskState};

use super::run_of;
use crate::support::files::shell;
use crate::support::{everything, open};

#[test]
fn a_late_verb_names_the_task_and_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = store.start_detached(NewTask::new("interrupted")).unwrap();
    let run = store.system_tasks().start("interrupted", None).unwrap().detach().unwrap();
    let dead = "INSERT INTO owner VALUES (7, '0123456789abcdef0123456789abcdef', 1234, 0);
        UPDATE task SET owner = 7; UPDATE run SET owner = 7;";
    shell(&path).execute_batch(dead).unwrap();
    let report = store.recover().unwrap();
    assert_eq!((report.tasks, report.runs, report.owners), (1, 1, 1));
    let (before, run_before) = (everything(&store), run_of(&store, run.uuid()));
    assert_eq!(before.tasks[0].0.outcome, Some(Outcome::Interrupted));

    let late = [
        store.finish(id),
        store.fail(id, "late"),
        store.message(id, Level::Info, "late"),
        store.progress(id, &Progress::new(1)),
    ];
    for answer in late {
        let refused = answer.unwrap_err();
        assert!(matches!(refused, Error::WrongState { found: TaskState::Interrupted, .. }), "{refused:?}");
        assert!(refused.to_string().contains("task 1: it is"), "{refused}");
    }
    let late = [
        store.batch(|batch| batch.finish_run(&run)),
        store.batch(|batch| batch.log(&run, LogEvent::new(LogLevel::Info, "late"))),
        store.batch(|batch| batch.set_status(&run, SystemTaskStatus::Successful, ["late"])),
    ];
    for answer in late {
        let refused = answer.unwrap_err();
        assert!(matches!(refused, Error::RunEnded { id, .. } if id == run.id()), "{refused:?}");
    }
    assert_eq!(everything(&store), before);
    assert_eq!(run_of(&store, run.uuid()), run_before);
    assert_eq!(store.counts(None).unwrap().interrupted, 1);
}
