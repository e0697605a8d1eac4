//! Imports into a store that holds something.

use taskstore::{LogEvent, LogLevel, NewTask, RunOptions, SystemTaskStatus, TaskStore};

use super::{exported, refusal};
use crate::support::{ManualClock, Nanoseconds as _, everything, options, start, task_id, temporary};

#[test]
fn a_task_of_a_known_key_is_left_out_and_the_others_get_new_ids() {
    let source = temporary();
    let prod = source.configurations().add("prod").unwrap();
    for key in ["a", "b", "c"] {
        source.start_detached(NewTask::new(key).key(key).configuration(prod)).unwrap();
    }
    start(&source, "without");

    let store = temporary();
    store.configurations().add("prod").unwrap();
    let mine = store.start_detached(NewTask::new("mine").key("b")).unwrap();
    let report = store.import(exported(&source).as_bytes()).unwrap();
    assert_eq!((report.tasks, report.known_tasks, report.configurations), (3, 1, 1));
    assert_eq!((report.ids_raised_by.task, report.ids_raised_by.configuration), (1, 1));
    assert_eq!(store.task(mine).unwrap().title, "mine");
    let shown: Vec<_> = everything(&store).tasks.into_iter().map(|(task, _)| (task.id.get(), task.title)).collect();
    let expected = [(1, "mine"), (2, "a"), (4, "c"), (5, "without")].map(|(id, title)| (id, title.to_owned()));
    assert_eq!(shown, expected);
    // The configuration of the same name is another one.
    assert_eq!(store.task(task_id(2)).unwrap().configuration_id.unwrap().get(), 2);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn what_has_keys_is_imported_once_however_often_it_is_imported() {
    let source = temporary();
    let configurations = source.configurations();
    let [prod, gone] = ["prod", "gone"].map(|name| configurations.add(name).unwrap());
    for (key, configuration) in [("a", prod), ("b", gone)] {
        let id = source.start_detached(NewTask::new(key).key(key).configuration(configuration)).unwrap();
        source.message_once(id, "said", taskstore::Level::Warn, "said").unwrap();
        source.finish(id).unwrap();
        let run = source.system_tasks().start_with("job", None, RunOptions::new().key(key)).unwrap();
        run.log(LogEvent::new(LogLevel::Info, "said").key("said")).unwrap();
        run.finish().unwrap();
    }
    configurations.delete(gone).unwrap();
    configurations.add("unused").unwrap();
    let store = temporary();
    assert_eq!(store.import(exported(&source).as_bytes()).unwrap().configurations, 3);
    let (before, lines) = (everything(&store), exported(&store));
    for again in [exported(&source), exported(&source), lines.clone()] {
        let report = store.import(again.as_bytes()).unwrap();
        let left_out = (report.known_tasks, report.known_runs, report.known_system_tasks);
        assert_eq!((report.tasks, report.runs, report.messages, report.events, left_out), (0, 0, 0, 0, (2, 2, 1)));
        assert_eq!(report.configurations, 0);
    }
    assert_eq!(everything(&store), before);
    assert_eq!(exported(&store), lines);
}

#[test]
fn a_configuration_comes_with_the_first_of_its_tasks_that_is_new() {
    let source = temporary();
    let [known, mixed, unused] = ["known", "mixed", "unused"].map(|name| source.configurations().add(name).unwrap());
    for (key, configuration) in [("a", known), ("b", mixed), ("c", mixed), ("d", mixed)] {
        source.start_detached(NewTask::new(key).key(key).configuration(configuration)).unwrap();
    }
    let store = temporary();
    for key in ["a", "b"] {
        store.start_detached(NewTask::new(key).key(key)).unwrap();
    }
    let report = store.import(exported(&source).as_bytes()).unwrap();
    assert_eq!((report.configurations, report.tasks, report.known_tasks), (1, 2, 2));
    let names: Vec<_> =
        store.configurations().list().unwrap().into_iter().map(|found| (found.id, found.name)).collect();
    assert_eq!(names, [(mixed, "mixed".to_owned())]);
    // No id of the others is given to another one either.
    assert!(store.configurations().add("next").unwrap() > unused);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn stores_that_import_each_other_give_no_ids_away_as_long_as_nothing_is_new() {
    let with = |key: &str| {
        let store = temporary();
        store.start_detached(NewTask::new(key).key(key)).unwrap();
        store.system_tasks().start_with("job", None, RunOptions::new().key(key)).unwrap().finish().unwrap();
        store
    };
    let (one, other) = (with("a"), with("b"));
    for _ in 0..70 {
        one.import(exported(&other).as_bytes()).unwrap();
        other.import(exported(&one).as_bytes()).unwrap();
    }
    for store in [one, other] {
        assert_eq!(start(&store, "next").get(), 3);
        assert_eq!(store.system_tasks().start("next", None).unwrap().id().get(), 3);
    }
}

/// A store of one system task with runs that end at these seconds, one that is not shown if it went well.
fn with_runs(clock: &ManualClock, description: &str, runs: &[(i64, &str, bool)]) -> TaskStore {
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    for (second, key, only_on_failure) in runs {
        clock.set_ns(second * 1_000_000_000);
        let mut new = RunOptions::new().description(description);
        new.only_on_failure = *only_on_failure;
        new.key = Some((*key).to_owned()).filter(|key| !key.is_empty());
        store.system_tasks().start_with("job", Some("1"), new).unwrap().finish().unwrap();
    }
    store
}

fn shown(store: &TaskStore) -> Option<i64> {
    let page = store.system_tasks().list(&taskstore::SystemTaskFilter::new()).unwrap();
    page.items.first().and_then(|task| task.shown_run.as_ref()?.finished).map(|time| time.timestamp())
}

#[test]
fn a_system_task_of_the_same_name_and_uid_is_the_same_one_and_shows_what_finished_last() {
    let clock = ManualClock::at_ns(0);
    for (mine, theirs, expected) in [
        (&[(10, "", false)][..], &[(20, "", false)][..], Some(20)),
        (&[(20, "", false)], &[(10, "", false)], Some(20)),
        (&[(20, "k", false)], &[(10, "k", false)], Some(20)),
        (&[(10, "k", false)], &[(20, "k", false)], Some(10)),
        (&[(10, "", true)], &[(20, "", false)], Some(20)),
        (&[(10, "", false)], &[(20, "", true)], Some(10)),
        (&[(10, "", true)], &[(20, "", true)], None),
        (&[(10, "k", true)], &[(20, "k", false)], None),
    ] {
        let store = with_runs(&clock, "", mine);
        let uuid = store.batch(|batch| batch.start_run("job", Some("1"), RunOptions::new())).unwrap().uuid();
        let report = store.import(exported(&with_runs(&clock, "theirs", theirs)).as_bytes()).unwrap();
        assert_eq!((report.system_tasks, report.known_system_tasks), (0, 1));
        assert_eq!(shown(&store), expected, "{mine:?} {theirs:?}");
        let runs = store.system_tasks().history(uuid, None, 10).unwrap().items.len() as u64;
        assert_eq!(runs, 2 + report.runs);
        assert_eq!(report.runs + report.known_runs, 1);
        // What was not described is now.
        let run = store.system_tasks().start("job", Some("1")).unwrap();
        run.finish().unwrap();
        assert_eq!(store.system_tasks().retrieve(uuid).unwrap().description, "theirs");
        assert_eq!(store.check().unwrap(), []);
    }
}

#[test]
fn the_uuid_of_another_system_task_is_refused_by_name() {
    let uuid = uuid::Uuid::from_u128(7);
    let with = |name: &str| {
        let store = options().uuids(move || uuid).open_temporary().unwrap();
        store.system_tasks().start(name, None).unwrap().finish().unwrap();
        store
    };
    let store = with("mine");
    let (line, problem) = refusal(store.import(exported(&with("theirs")).as_bytes()));
    assert_eq!(line, 2);
    assert_eq!(
        problem.to_string(),
        format!("the uuid {uuid} of \"theirs\" belongs to another system task of the store")
    );
    assert_eq!(store.import(exported(&with("mine")).as_bytes()).unwrap().known_system_tasks, 1);
}

#[test]
fn what_is_in_progress_stays_so_and_is_ended_by_its_id() {
    let source = temporary();
    let id = start(&source, "going on");
    let run = source.system_tasks().start("job", None).unwrap().detach().unwrap();
    let store = temporary();
    store.import(exported(&source).as_bytes()).unwrap();
    store.finish(id).unwrap();
    let events = store.system_tasks().events(run.id(), 0, 10).unwrap();
    assert_eq!(events, []);
    assert_eq!(store.system_tasks().history(run.uuid(), None, 10).unwrap().items[0].status, None::<SystemTaskStatus>);
}
