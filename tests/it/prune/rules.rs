//! What each rule takes, one by one.

use std::ops::ControlFlow;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use taskstore::{Dismissed, Error, NewTask, OpenOptions, Outcomes, Retention, RetentionRule, RunOptions, TaskStore};

use super::{all, fill, retention, sum};
use crate::support::{ManualClock, Nanoseconds as _, everything, finished, interrupted, options, start, temporary};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn left(store: &TaskStore) -> Vec<String> {
    everything(store).tasks.into_iter().map(|(task, _)| task.title).collect()
}

fn finish_three(store: &TaskStore, name: &str) {
    for number in 1..=3 {
        finished(store, &format!("{name} {number}"));
    }
}

/// Six ended tasks, one for each outcome and dismissal, and one in progress.
fn one_of_each(store: &TaskStore) {
    for dismissed in [false, true] {
        let prefix = if dismissed { "dismissed " } else { "" };
        let name = |outcome| format!("{prefix}{outcome}");
        let fail = start(store, &name("failed"));
        store.fail(fail, "because").unwrap();
        for id in [finished(store, &name("finished")), fail, interrupted(store, &name("interrupted"))] {
            if dismissed {
                store.dismiss(id, "ann").unwrap();
            }
        }
    }
    start(store, "in progress");
}

#[test]
fn nothing_goes_unless_it_is_asked_for() {
    let store = temporary();
    one_of_each(&store);
    let before = everything(&store);
    let report = store.prune(&Retention::new()).unwrap();
    assert_eq!((sum(&report.tasks), report.messages, report.stopped), (0, 0, None));
    assert_eq!(everything(&store), before);
}

#[test]
fn a_rule_without_a_condition_or_of_tasks_in_progress_is_refused_before_anything_is_deleted() {
    let store = temporary();
    finished(&store, "t");
    let is_refused = |rule: RetentionRule, named: &str| {
        let both = Retention::new().rule(all()).rule(rule);
        for answer in [store.prune(&both), store.prune_dry_run(&both)] {
            assert!(matches!(answer, Err(Error::Invalid { field, .. }) if field == named), "{answer:?}");
        }
    };
    is_refused(RetentionRule::new(), "rule");
    is_refused(all().outcomes(Outcomes::IN_PROGRESS), "outcomes");
    assert_eq!(left(&store), ["t"]);
}

#[test]
fn a_task_in_progress_never_goes() {
    let store = temporary();
    one_of_each(&store);
    let report = store.prune(&retention(all().keep(0).file_bytes_max(0))).unwrap();
    assert_eq!((sum(&report.tasks), report.tasks.in_progress), (6, 0));
    assert_eq!(left(&store), ["in progress"]);
}

#[test]
fn outcomes_and_dismissal_choose_apart() {
    let titles = |rule: RetentionRule| {
        let store = temporary();
        one_of_each(&store);
        store.prune(&retention(rule)).unwrap();
        assert_eq!(store.check().unwrap(), []);
        left(&store)
    };
    let rest = ["dismissed failed", "dismissed finished", "dismissed interrupted", "in progress"];
    assert_eq!(titles(all().dismissed(Dismissed::Hidden)), rest);
    assert_eq!(titles(all().dismissed(Dismissed::Only)), ["failed", "finished", "interrupted", "in progress"]);
    let rest = ["failed", "finished", "interrupted", "dismissed failed", "dismissed interrupted", "in progress"];
    assert_eq!(titles(all().dismissed(Dismissed::Only).outcomes(Outcomes::FINISHED)), rest);
    let rest = ["finished", "dismissed finished", "in progress"];
    assert_eq!(titles(all().outcomes(Outcomes::FAILED | Outcomes::INTERRUPTED)), rest);
}

#[test]
fn the_age_counts_from_the_end_to_the_nanosecond_and_not_from_the_dismissal() {
    let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let running = start(&store, "long");
    let old = finished(&store, "old");
    clock.advance_ns(1);
    store.finish(running).unwrap();
    clock.set(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(30));
    store.dismiss(old, "ann").unwrap();
    let rule = retention(RetentionRule::new().older_than(30 * DAY));
    assert_eq!(store.prune(&rule).unwrap().tasks.dismissed_finished, 1);
    assert_eq!(left(&store), ["long"]);
    clock.advance_ns(1);
    assert_eq!(store.prune(&rule).unwrap().tasks.finished, 1);
    let never = retention(RetentionRule::new().older_than(Duration::MAX));
    finished(&store, "new");
    assert_eq!(sum(&store.prune(&never).unwrap().tasks), 0);
}

#[test]
fn the_newest_of_each_configuration_are_kept_and_those_of_none_and_of_a_deleted_one() {
    let store = temporary();
    let [prod, gone] = ["prod", "gone"].map(|name| store.configurations().add(name).unwrap());
    for number in 1..=3 {
        for (name, configuration) in [("none", None), ("prod", Some(prod)), ("gone", Some(gone))] {
            let mut task = NewTask::new(format!("{name} {number}"));
            task.configuration = configuration;
            store.start(task).unwrap().finish().unwrap();
        }
    }
    // One in progress is none of those that are kept.
    store.start_detached(NewTask::new("prod 4").configuration(prod)).unwrap();
    store.configurations().delete(gone).unwrap();
    store.prune(&retention(RetentionRule::new().keep(2))).unwrap();
    assert_eq!(left(&store), ["none 2", "prod 2", "gone 2", "none 3", "prod 3", "gone 3", "prod 4"]);
    assert_eq!(store.check().unwrap(), []);
}

#[test]
fn what_is_kept_is_kept_whatever_its_age_and_what_is_young_whatever_its_number() {
    let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    finish_three(&store, "old");
    clock.set(DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(30));
    let rule = |keep| retention(RetentionRule::new().older_than(30 * DAY).keep(keep));
    assert_eq!(sum(&store.prune(&rule(3)).unwrap().tasks), 0);
    assert_eq!(sum(&store.prune(&rule(2)).unwrap().tasks), 1);
    finish_three(&store, "new");
    assert_eq!(sum(&store.prune(&rule(1)).unwrap().tasks), 2);
    assert_eq!(left(&store), ["new 1", "new 2", "new 3"]);
}

#[test]
fn a_task_goes_if_any_rule_takes_it() {
    let store = temporary();
    one_of_each(&store);
    let rules = [
        all().outcomes(Outcomes::FAILED).dismissed(Dismissed::Only),
        all().outcomes(Outcomes::FINISHED).dismissed(Dismissed::Hidden),
    ];
    let both = rules.into_iter().fold(Retention::new(), Retention::rule);
    let report = store.prune(&both).unwrap();
    assert_eq!((report.tasks.finished, report.tasks.dismissed_failed, report.messages), (1, 1, 1));
    assert_eq!(sum(&report.tasks), 2);
}

#[test]
fn expired_runs_go_if_that_is_asked_for() {
    let store = TaskStore::open_temporary().unwrap();
    let run = |name, after| {
        let options = RunOptions::new().expires_after(after);
        let run = store.system_tasks().start_with(name, None, options).unwrap();
        run.info("one", serde_json::json!({})).unwrap();
        run.finish().unwrap();
    };
    run("a", Duration::ZERO);
    run("a", DAY);
    run("b", Duration::ZERO);
    assert_eq!(store.prune(&Retention::new()).unwrap().expired_runs.runs, 0);
    let asked = Retention::new().expired_runs(true);
    let would = store.prune_dry_run(&asked).unwrap().expired_runs;
    let did = store.prune(&asked).unwrap().expired_runs;
    assert_eq!((did.runs, did.events, did.system_tasks), (2, 2, 1));
    assert_eq!(would, did);
}

#[test]
fn expired_runs_with_many_events_go_one_by_one() {
    let store = TaskStore::open_in_memory().unwrap();
    for events in [4_000, 5_000, 4_000, 11_000, 1] {
        let options = RunOptions::new().expires_after(Duration::ZERO);
        let run = store.system_tasks().start_with("a", None, options).unwrap();
        (0..events).for_each(|_| run.info("one", serde_json::json!({})).unwrap());
        run.finish().unwrap();
    }
    let mut told = Vec::new();
    let asked = Retention::new().expired_runs(true);
    let report = store.prune_with(&asked, |progress| {
        told.push(progress.report.expired_runs.events);
        ControlFlow::Continue(())
    });
    assert_eq!(report.unwrap().expired_runs.runs, 5);
    told.dedup();
    // As many as 10,000 in one transaction, or one run.
    assert_eq!(told, [9_000, 13_000, 24_000, 24_001]);
}

#[test]
fn a_store_that_only_reads_can_be_asked_what_would_go() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = options().open(&path).unwrap();
    fill(&store, 3, 2, 10);
    store.close().unwrap();
    let store = OpenOptions::new().read_only(true).open(&path).unwrap();
    assert!(matches!(store.prune(&retention(all())), Err(Error::ReadOnly)));
    let report = store.prune_dry_run(&retention(all())).unwrap();
    assert_eq!((report.tasks.finished, report.messages), (3, 6));
}

#[test]
fn it_is_refused_inside_a_batch_and_after_closing() {
    let store = temporary();
    let inside = |_: &taskstore::Batch<'_>| {
        for answer in [store.prune(&retention(all())), store.prune_dry_run(&retention(all()))] {
            assert!(matches!(answer, Err(Error::InsideBatch)), "{answer:?}");
        }
        Ok::<_, Error>(())
    };
    store.batch(inside).unwrap();
    store.close().unwrap();
    assert!(matches!(store.prune(&retention(all())), Err(Error::Closed)));
}

#[test]
fn a_store_in_memory_is_pruned_too() {
    let store = TaskStore::open_in_memory().unwrap();
    fill(&store, 300, 3, 100);
    let would = store.prune_dry_run(&retention(all())).unwrap();
    let did = store.prune(&retention(all())).unwrap();
    assert_eq!((did.tasks.finished, did.messages), (300, 900));
    assert!(did.bytes > 0);
    assert_eq!((would.tasks, would.messages), (did.tasks, did.messages));
    assert_eq!(store.check().unwrap(), []);
}
