//! What goes by any rules, told again by a plain model.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use taskstore::{Dismissed, NewTask, Outcome, Outcomes, Retention, RetentionRule, Task, TaskCounts, TaskStore};

use crate::support::{ManualClock, everything, options};

/// What becomes of a task.
#[derive(Clone, Debug)]
struct Planned {
    configuration: Option<usize>,
    messages: usize,
    outcome: Option<Outcome>,
    dismissed: bool,
    /// Between this one's start and the next, and between the end and the start.
    minutes: [i64; 2],
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Finished), Just(Outcome::Failed), Just(Outcome::Interrupted)]
}

fn planned() -> impl Strategy<Value = Planned> {
    let end = option::weighted(0.8, outcome());
    // A wall clock goes back now and then.
    (option::of(0..3_usize), 0..4_usize, end, any::<bool>(), [-5_i64..60, 0_i64..300]).prop_map(
        |(configuration, messages, outcome, dismissed, minutes)| {
            let dismissed = dismissed && outcome.is_some();
            Planned { configuration, messages, outcome, dismissed, minutes }
        },
    )
}

fn rule() -> impl Strategy<Value = RetentionRule> {
    let outcomes = prop_oneof![
        Just(Outcomes::ANY),
        Just(Outcomes::FINISHED),
        Just(Outcomes::FAILED | Outcomes::IN_PROGRESS),
        Just(Outcomes::FINISHED | Outcomes::INTERRUPTED),
    ];
    let dismissed = prop_oneof![Just(Dismissed::Hidden), Just(Dismissed::Included), Just(Dismissed::Only)];
    let conditions = prop_oneof![
        (0_u64..600).prop_map(|minutes| (Some(minutes), None)),
        (0_u64..6).prop_map(|newest| (None, Some(newest))),
        (0_u64..600, 0_u64..6).prop_map(|(minutes, newest)| (Some(minutes), Some(newest))),
    ];
    (outcomes, dismissed, conditions).prop_map(|(outcomes, dismissed, (minutes, keep))| {
        let mut rule = RetentionRule::new().outcomes(outcomes).dismissed(dismissed);
        rule.older_than = minutes.map(|minutes| Duration::from_secs(minutes * 60));
        rule.keep = keep;
        rule
    })
}

/// Makes all that is planned, and gives the time when that is done.
fn make(store: &TaskStore, clock: &ManualClock, plan: &[Planned], deleted: Option<usize>) -> DateTime<Utc> {
    let configurations = ["a", "b", "c"].map(|name| store.configurations().add(name).unwrap());
    let mut now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
    for Planned { configuration, messages, outcome, dismissed, minutes } in plan {
        clock.set(now);
        let mut task = NewTask::new("t");
        task.configuration = configuration.map(|number| configurations[number]);
        let guard = store.start(task).unwrap();
        (0..*messages).for_each(|_| guard.info("line").unwrap());
        clock.set(now + TimeDelta::minutes(minutes[1]));
        let id = guard.id();
        match outcome {
            None => drop(guard.detach()),
            Some(Outcome::Finished) => drop(guard.finish()),
            Some(Outcome::Failed) => drop(guard.fail("no")),
            Some(Outcome::Interrupted) => drop(guard),
        }
        if *dismissed {
            // It is no part of the age.
            clock.set(now + TimeDelta::days(2));
            store.dismiss(id, "ann").unwrap();
        }
        now += TimeDelta::minutes(minutes[0]);
    }
    if let Some(number) = deleted {
        store.configurations().delete(configurations[number]).unwrap();
    }
    clock.set(now);
    now
}

/// Whether a rule takes a task, among all.
fn takes(rule: &RetentionRule, tasks: &[(Task, Option<usize>)], number: usize, now: DateTime<Utc>) -> bool {
    let is_of = |task: &Task| {
        let shown = match rule.dismissed {
            Dismissed::Hidden => task.dismissed.is_none(),
            Dismissed::Included => true,
            Dismissed::Only => task.dismissed.is_some(),
        };
        shown && task.outcome.is_some() && rule.outcomes.contains(task.outcome)
    };
    let (task, configuration) = &tasks[number];
    let newer = tasks[number + 1..].iter().filter(|(other, theirs)| theirs == configuration && is_of(other)).count();
    let is_beyond = rule.keep.is_none_or(|keep| u64::try_from(newer).unwrap() >= keep);
    let is_old =
        rule.older_than.is_none_or(|age| task.finished.is_some_and(|at| now - at >= TimeDelta::from_std(age).unwrap()));
    is_of(task) && is_beyond && is_old
}

fn check(plan: &[Planned], rules: &[RetentionRule], deleted: Option<usize>) {
    let clock = ManualClock::at(DateTime::UNIX_EPOCH);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    let now = make(&store, &clock, plan, deleted);
    let before = everything(&store);
    let tasks: Vec<_> =
        before.tasks.iter().map(|(task, _)| task.clone()).zip(plan.iter().map(|p| p.configuration)).collect();
    let goes: Vec<_> =
        (0..tasks.len()).map(|number| rules.iter().any(|rule| takes(rule, &tasks, number, now))).collect();

    let retention = rules.iter().fold(Retention::new(), |retention, rule| retention.rule(*rule));
    let would = store.prune_dry_run(&retention).unwrap();
    assert_eq!(everything(&store), before, "a dry run has written");
    let did = store.prune(&retention).unwrap();

    let stays: Vec<_> = before.tasks.into_iter().zip(&goes).filter(|(_, goes)| !**goes).map(|(task, _)| task).collect();
    assert_eq!(everything(&store).tasks, stays);
    let mut counted: HashMap<(Option<Outcome>, bool), u64> = HashMap::new();
    let mut messages = 0;
    for ((task, _), _) in tasks.iter().zip(&goes).filter(|(_, goes)| **goes) {
        *counted.entry((task.outcome, task.dismissed.is_some())).or_default() += 1;
        messages += task.message_count;
    }
    let of = |outcome, dismissed| counted.get(&(Some(outcome), dismissed)).copied().unwrap_or(0);
    assert_eq!((did.messages, did.stopped), (messages, None));
    assert_eq!((would.tasks, would.messages, would.stopped), (did.tasks, did.messages, None));
    assert_eq!(did.tasks.finished, of(Outcome::Finished, false));
    assert_eq!(did.tasks.failed, of(Outcome::Failed, false));
    assert_eq!(did.tasks.interrupted, of(Outcome::Interrupted, false));
    assert_eq!(did.tasks.dismissed_finished, of(Outcome::Finished, true));
    assert_eq!(did.tasks.dismissed_failed, of(Outcome::Failed, true));
    assert_eq!(did.tasks.dismissed_interrupted, of(Outcome::Interrupted, true));
    assert_eq!(did.tasks.in_progress, 0);
    // The kept counts, too.
    assert_eq!(store.check().unwrap(), []);
    assert_eq!(store.prune(&retention).unwrap().tasks, TaskCounts::default(), "nothing is left over");
}

proptest! {
    #[test]
    fn what_goes_is_what_the_rules_say(
        plan in vec(planned(), 0..40),
        rules in vec(rule(), 0..4),
        deleted in option::of(0..3_usize),
    ) {
        check(&plan, &rules, deleted);
    }
}
