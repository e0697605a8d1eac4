//! The picture of a task's life: each of its arrows, and every other one refused.

use taskstore::testing::assert_task;
use taskstore::{Error, Level, NewTask, Outcome, Progress, Result, TaskId, TaskState, TaskStore};

use crate::support::{everything, finished, interrupted, open, start, task_id, temporary, texts};

/// What a task can be.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    outcome: Option<Outcome>,
    dismissed: bool,
}

const PLACES: [Place; 7] = [
    Place { outcome: None, dismissed: false },
    Place { outcome: Some(Outcome::Finished), dismissed: false },
    Place { outcome: Some(Outcome::Failed), dismissed: false },
    Place { outcome: Some(Outcome::Interrupted), dismissed: false },
    Place { outcome: Some(Outcome::Finished), dismissed: true },
    Place { outcome: Some(Outcome::Failed), dismissed: true },
    Place { outcome: Some(Outcome::Interrupted), dismissed: true },
];

impl Place {
    /// A new task at this place.
    fn make(self, store: &TaskStore) -> TaskId {
        let id = match self.outcome {
            None => start(store, "in progress"),
            Some(Outcome::Finished) => finished(store, "finished"),
            Some(Outcome::Failed) => {
                let id = start(store, "failed");
                store.fail(id, "because").unwrap();
                id
            }
            Some(Outcome::Interrupted) => interrupted(store, "interrupted"),
        };
        if self.dismissed {
            store.dismiss(id, "ann").unwrap();
        }
        id
    }

    fn state(self) -> TaskState {
        match self.outcome {
            _ if self.dismissed => TaskState::Dismissed,
            None => TaskState::InProgress,
            Some(Outcome::Finished) => TaskState::Finished,
            Some(Outcome::Failed) => TaskState::Failed,
            Some(Outcome::Interrupted) => TaskState::Interrupted,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    Message,
    Progress,
    Finish,
    Fail,
    Dismiss,
    Restore,
    Delete,
}

const VERBS: [Verb; 7] =
    [Verb::Message, Verb::Progress, Verb::Finish, Verb::Fail, Verb::Dismiss, Verb::Restore, Verb::Delete];

impl Verb {
    fn call(self, store: &TaskStore, id: TaskId) -> Result<()> {
        match self {
            Self::Message => store.message(id, Level::Warn, "late"),
            Self::Progress => store.progress(id, &Progress::new(1).of(2).phase("late")),
            Self::Finish => store.finish(id),
            Self::Fail => store.fail(id, "late"),
            Self::Dismiss => store.dismiss(id, "bob"),
            Self::Restore => store.restore(id),
            Self::Delete => store.delete(id),
        }
    }

    /// Where an arrow of the picture leads: to a place, or out of the store. `None` if there is no arrow.
    fn leads(self, from: Place) -> Option<Option<Place>> {
        let to = |outcome, dismissed| Some(Some(Place { outcome, dismissed }));
        match (self, from.outcome, from.dismissed) {
            (Self::Message | Self::Progress, None, false) => to(None, false),
            (Self::Finish, None, false) => to(Some(Outcome::Finished), false),
            (Self::Fail, None, false) => to(Some(Outcome::Failed), false),
            (Self::Dismiss, Some(_), false) => to(from.outcome, true),
            (Self::Restore, Some(_), true) => to(from.outcome, false),
            (Self::Delete, Some(_), _) => Some(None),
            _ => None,
        }
    }

    /// The verb in an error's words, and what it needed.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Message => ("add a message to", "in progress"),
            Self::Progress => ("record progress of", "in progress"),
            Self::Finish => ("finish", "in progress"),
            Self::Fail => ("fail", "in progress"),
            Self::Dismiss => ("dismiss", "ended and not dismissed"),
            Self::Restore => ("restore", "dismissed"),
            Self::Delete => ("delete", "ended"),
        }
    }
}

#[test]
fn every_transition_of_the_picture_works() {
    let store = temporary();
    let mut arrows = 0;
    for from in PLACES {
        for verb in VERBS {
            let Some(to) = verb.leads(from) else { continue };
            arrows += 1;
            let id = from.make(&store);
            verb.call(&store, id).unwrap_or_else(|error| panic!("{verb:?} of {from:?}: {error}"));
            match (store.task(id), to) {
                (Err(Error::NotFound { what: "task", id: named }), None) => {
                    assert_eq!(named, id.get());
                    assert!(matches!(store.messages(id, 0, 1), Err(Error::NotFound { .. })));
                }
                (Ok(task), Some(to)) => {
                    let found = Place { outcome: task.outcome, dismissed: task.dismissed.is_some() };
                    assert_eq!(found, to, "{verb:?} of {from:?}");
                    assert_eq!(task.state(), to.state());
                    assert_eq!(task.finished.is_some(), to.outcome.is_some());
                    assert_eq!(task.dismissed_by.is_some(), to.dismissed);
                }
                (found, to) => panic!("{verb:?} of {from:?}: {found:?} instead of {to:?}"),
            }
        }
    }
    // Four from a task in progress; dismiss and delete of three ended ones; restore and delete of three dismissed ones.
    assert_eq!(arrows, 4 + 6 + 6);
}

#[test]
fn every_other_transition_is_refused_by_name_and_changes_nothing_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let tasks: Vec<_> = PLACES.iter().map(|place| (*place, place.make(&store))).collect();
    let before = everything(&store);

    let mut refused = 0;
    for &(place, id) in &tasks {
        for verb in VERBS.into_iter().filter(|verb| verb.leads(place).is_none()) {
            refused += 1;
            let error = verb.call(&store, id).expect_err("no arrow leads from here");
            let Error::WrongState { action, id: named, found, dismissed_by, needed } = error else {
                panic!("{verb:?} of {place:?}: {error:?}");
            };
            assert_eq!((action, needed), verb.words());
            assert_eq!((named, found), (id, place.state()));
            assert_eq!(dismissed_by.as_deref(), place.dismissed.then_some("ann"));
            assert_eq!(everything(&store), before, "{verb:?} of {place:?}");
        }
    }
    assert_eq!(refused, PLACES.len() * VERBS.len() - 16);

    store.close().unwrap();
    assert_eq!(everything(&open(&path)), before);
}

#[test]
fn a_dismissal_and_a_restore_leave_what_happened_as_it_was() {
    let store = temporary();
    let id = start(&store, "switch over");
    store.message(id, Level::Info, "one").unwrap();
    store.progress(id, &Progress::new(3).of(4).phase("copying")).unwrap();
    store.fail(id, "no answer").unwrap();
    let before = (store.task(id).unwrap(), texts(&store, id));

    store.dismiss(id, "ann").unwrap();
    assert_task!(store, id, failed with "no answer", dismissed by "ann");
    let dismissed = store.task(id).unwrap();
    store.restore(id).unwrap();

    let mut after = (store.task(id).unwrap(), texts(&store, id));
    assert!(after.0.updated >= dismissed.updated);
    after.0.updated = before.0.updated;
    assert_eq!(after, before);
}

#[test]
fn a_restored_task_can_be_dismissed_again_by_somebody_else() {
    let store = temporary();
    let id = finished(&store, "back and forth");
    for by in ["ann", "bob"] {
        store.dismiss(id, by).unwrap();
        assert_task!(store, id, finished, dismissed by by);
        store.restore(id).unwrap();
        assert_task!(store, id, finished, not dismissed);
    }
}

#[test]
fn dismissing_all_takes_the_ended_ones_and_tells_their_number() {
    let store = temporary();
    let tasks = PLACES.map(|place| (place, place.make(&store)));
    assert_eq!(store.dismiss_all(None, "bob").unwrap(), 3);
    for (place, id) in tasks {
        let by = store.task(id).unwrap().dismissed_by;
        let expected = if place.dismissed { Some("ann") } else { place.outcome.and(Some("bob")) };
        assert_eq!(by.as_deref(), expected, "{place:?}");
    }
    assert_eq!(store.dismiss_all(None, "eve").unwrap(), 0);
}

#[test]
fn a_deleted_task_takes_its_messages_along_and_its_id_is_not_given_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let id = start(&store, "gone");
    store.message(id, Level::Info, "gone too").unwrap();
    store.finish(id).unwrap();
    store.delete(id).unwrap();
    assert!(matches!(store.delete(id), Err(Error::NotFound { what: "task", .. })));
    store.close().unwrap();

    let messages: i64 =
        crate::support::files::shell(&path).query_row("SELECT count(*) FROM message", [], |row| row.get(0)).unwrap();
    assert_eq!(messages, 0);
    assert!(start(&open(&path), "next") > id);
}

#[test]
fn a_verb_of_an_unknown_task_is_refused_with_its_id() {
    let store = temporary();
    start(&store, "another");
    let before = everything(&store);
    for id in [2, i64::MAX] {
        let calls = VERBS.map(|verb| verb.call(&store, task_id(id)));
        let reads = [store.task(task_id(id)).map(drop), store.messages(task_id(id), 0, 1).map(drop)];
        for answer in calls.into_iter().chain(reads) {
            let error = answer.unwrap_err();
            assert!(matches!(error, Error::NotFound { what: "task", id: named } if named == id), "{error:?}");
            assert_eq!(error.to_string(), format!("task {id} does not exist"));
        }
    }
    assert_eq!(everything(&store), before);
}

#[test]
fn a_refusal_says_which_task_what_it_is_and_what_it_had_to_be() {
    let store = temporary();
    let text = |answer: Result<()>| answer.unwrap_err().to_string();
    let running = start(&store, "1");
    assert_eq!(
        text(store.dismiss(running, "ann")),
        "cannot dismiss task 1: it is in progress; it must be ended and not dismissed"
    );
    assert_eq!(text(store.delete(running)), "cannot delete task 1: it is in progress; it must be ended");
    let ended = finished(&store, "2");
    assert_eq!(text(store.finish(ended)), "cannot finish task 2: it is finished; it must be in progress");
    assert_eq!(text(store.restore(ended)), "cannot restore task 2: it is finished; it must be dismissed");
    store.dismiss(ended, "ann").unwrap();
    assert_eq!(
        text(store.message(ended, Level::Info, "late")),
        "cannot add a message to task 2: it is dismissed by ann; it must be in progress"
    );
    assert_eq!(
        text(store.dismiss(ended, "bob")),
        "cannot dismiss task 2: it is dismissed by ann; it must be ended and not dismissed"
    );
    assert_eq!(
        text(store.fail(interrupted(&store, "3"), "late")),
        "cannot fail task 3: it is interrupted; it must be in progress"
    );
}

#[test]
fn a_new_task_is_in_progress_and_says_only_what_it_was_given() {
    let store = temporary();
    let prod = store.configurations().add("prod").unwrap();
    let new = NewTask::new("Create standby").performed_by("ann").configuration(prod);
    let task = store.task(store.start_detached(new).unwrap()).unwrap();
    assert_eq!((task.title.as_str(), task.performed_by.as_str()), ("Create standby", "ann"));
    assert_eq!((task.configuration_id, task.configuration_name.as_str()), (Some(prod), "prod"));
    assert_eq!((task.outcome, task.finished, task.dismissed_by, task.dismissed), (None, None, None, None));
    assert_eq!((task.progress, task.message_count, task.updated), (None, 0, task.started));
}

#[test]
fn progress_replaces_the_whole_of_what_was_recorded_before() {
    let store = temporary();
    let id = start(&store, "copy");
    for progress in [
        Progress::new(0),
        Progress::new(7).of(3).phase("copying"),
        Progress::new(9).phase(""),
        Progress::new(i64::MAX.unsigned_abs()).of(i64::MAX.unsigned_abs()),
        Progress::new(0).of(0),
    ] {
        store.progress(id, &progress).unwrap();
        assert_eq!(store.task(id).unwrap().progress, Some(progress));
    }
    store.finish(id).unwrap();
    assert_eq!(store.task(id).unwrap().progress, Some(Progress::new(0).of(0)));
}
