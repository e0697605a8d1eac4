//! A stream is what serde writes for the tasks that lists give.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use taskstore::{
    ConfigurationFilter, Dismissed, Error, Level, NewTask, Order, Outcomes, Progress, TaskFilter, TaskId, TaskStore,
    TimeRange,
};

use super::{BOTH, as_answer, both, tasks_of, walked, written};
use crate::support::{ManualClock, Nanoseconds as _, configuration_id, files, options, start};

/// A task that is to be recorded. Its texts are few, so that filters find some.
#[derive(Clone, Debug)]
struct Plan {
    configuration: Option<i64>,
    title: String,
    performed_by: String,
    key: bool,
    progress: Option<(u64, Option<u64>, Option<String>)>,
    messages: Vec<(Level, String, bool)>,
    passes_ns: i64,
    end: u8,
    dismissed_by: Option<String>,
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(&["", "a", "Copy", "ünï \"\\\u{1}\n", "copy \u{2028}漢"][..]).prop_map(str::to_owned)
}

fn user() -> impl Strategy<Value = String> {
    prop::sample::select(&["ann", "ben"][..]).prop_map(str::to_owned)
}

/// So many that some times are whole microseconds, milliseconds or seconds.
fn time_ns() -> impl Strategy<Value = i64> {
    (0..4_i64, prop::sample::select(&[1, 1_000, 1_000_000, 1_000_000_000][..])).prop_map(|(count, unit)| count * unit)
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let level = prop::sample::select(&Level::ALL[..]);
    let plan = (
        prop::option::of(1..=3_i64),
        (word(), user(), any::<bool>()),
        prop::option::of((0..9_u64, prop::option::of(0..9_u64), prop::option::of(word()))),
        prop::collection::vec((level, word(), any::<bool>()), 0..4),
        time_ns(),
        0..4_u8,
        prop::option::of(user()),
    );
    let plan = plan.prop_map(|(configuration, texts, progress, messages, passes_ns, end, dismissed_by)| {
        let (title, performed_by, key) = texts;
        Plan { configuration, title, performed_by, key, progress, messages, passes_ns, end, dismissed_by }
    });
    prop::collection::vec(plan, 0..12)
}

fn record(store: &TaskStore, clock: &ManualClock, plans: &[Plan]) {
    for name in ["prod", "test \"1\"", "gone"] {
        store.configurations().add(name).unwrap();
    }
    for (number, plan) in plans.iter().enumerate() {
        let mut new = NewTask::new(plan.title.as_str()).performed_by(plan.performed_by.as_str());
        new.configuration = plan.configuration.map(configuration_id);
        new.key = plan.key.then(|| number.to_string());
        let task = store.start(new).unwrap();
        clock.advance_ns(plan.passes_ns);
        if let Some((done, total, phase)) = &plan.progress {
            let mut progress = Progress::new(*done);
            (progress.total, progress.phase) = (*total, phase.clone());
            task.progress(&progress).unwrap();
        }
        let id = task.id();
        for (number, (level, text, with_key)) in plan.messages.iter().enumerate() {
            match with_key {
                true => store.message_once(id, number.to_string(), *level, text.as_str()).unwrap(),
                false => store.message(id, *level, text.as_str()).unwrap(),
            }
            clock.advance_ns(plan.passes_ns);
        }
        match plan.end {
            0 => drop(task.detach().unwrap()),
            1 => task.finish().unwrap(),
            2 => task.fail("because").unwrap(),
            _ => drop(task),
        }
        if let Some(user) = plan.dismissed_by.as_ref().filter(|_| plan.end > 0) {
            store.dismiss(id, user.as_str()).unwrap();
        }
    }
    store.configurations().delete(configuration_id(3)).unwrap();
}

fn range() -> impl Strategy<Value = TimeRange> {
    let time = || prop::option::weighted(0.2, time_ns().prop_map(DateTime::<Utc>::from_timestamp_nanos));
    (time(), time()).prop_map(|(from, until)| {
        let mut range = TimeRange::ALWAYS;
        (range.from, range.until) = (from, until);
        range
    })
}

fn filters() -> impl Strategy<Value = TaskFilter> {
    let singles = vec![Outcomes::IN_PROGRESS, Outcomes::FINISHED, Outcomes::FAILED, Outcomes::INTERRUPTED];
    let some = prop::sample::subsequence(singles, 1..=4);
    let outcomes = some.prop_map(|some| some.into_iter().reduce(|one, other| one | other).unwrap());
    let configuration = prop_oneof![
        4 => Just(ConfigurationFilter::Any),
        3 => (1..=4_i64).prop_map(|id| ConfigurationFilter::One(configuration_id(id))),
        1 => Just(ConfigurationFilter::Deleted),
        1 => Just(ConfigurationFilter::None),
    ];
    let dismissed = prop::sample::select(&[Dismissed::Hidden, Dismissed::Included, Dismissed::Only][..]);
    let orders = [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated, Order::LongestRunning];
    let order = prop::sample::select(orders.to_vec());
    let rarely = |texts: BoxedStrategy<String>| prop::option::weighted(0.15, texts);
    let what = (configuration, prop_oneof![3 => Just(Outcomes::ANY), 2 => outcomes], dismissed, order);
    let users = (rarely(user().boxed()), rarely(user().boxed()));
    let texts = (rarely(word().boxed()), rarely(word().boxed()), rarely(word().boxed()));
    let level = prop::option::weighted(0.15, prop::sample::select(&[Level::Warn, Level::Error][..]));
    let longer = prop::option::weighted(0.15, time_ns().prop_map(|ns| Duration::from_nanos(ns.unsigned_abs())));
    (what, users, texts, (range(), range(), range()), level, longer).prop_map(
        |(what, users, texts, ranges, level, longer)| {
            let mut filter = TaskFilter::new();
            (filter.configuration, filter.outcomes, filter.dismissed, filter.order) = what;
            (filter.performed_by, filter.dismissed_by) = users;
            (filter.title, filter.message, filter.text) = texts;
            (filter.started, filter.updated, filter.finished) = ranges;
            (filter.level_reached, filter.running_longer_than) = (level, longer);
            filter.search_time_max = Duration::MAX;
            filter
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_of_any_filter_is_what_serde_writes_for_the_pages_of_its_list(
        plans in plans(),
        in_memory: bool,
        filters in prop::collection::vec(filters(), 1..12),
    ) {
        let clock = ManualClock::at_ns(0);
        let options = options().clock(clock.clone());
        let store = if in_memory { options.open_in_memory() } else { options.open_temporary() }.unwrap();
        record(&store, &clock, &plans);
        store.flush().unwrap();
        for filter in filters {
            let tasks = walked(&store, &filter);
            // A page is not heeded.
            let filter = filter.limit(0).cursor("of no list".parse().unwrap()).search_time_max(Duration::ZERO);
            let [answer, lines] = BOTH.map(|write| written(&store, &filter, write));
            prop_assert_eq!(answer, as_answer(&tasks));
            prop_assert_eq!(tasks_of(&lines), both(&tasks));
            prop_assert_eq!(store.export_tasks(&filter, std::io::sink()).unwrap(), tasks.len() as u64);
        }
    }
}

#[test]
fn what_another_program_wrote_that_is_no_utf_8_is_replaced_as_lists_do() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = crate::support::open(&path);
    let id = start(&store, "t");
    store.message(id, Level::Info, "said").unwrap();
    let shell = files::shell(&path);
    shell.execute_batch("UPDATE task SET title = CAST(x'41ff42' AS TEXT)").unwrap();
    shell.execute_batch("UPDATE message SET text = CAST(x'c328' AS TEXT)").unwrap();
    let tasks = walked(&store, &TaskFilter::new());
    assert_eq!(tasks[0].task.title, "A\u{fffd}B");
    let [answer, lines] = BOTH.map(|write| written(&store, &TaskFilter::new(), write));
    assert_eq!((answer, tasks_of(&lines)), (as_answer(&tasks), both(&tasks)));
}

#[test]
fn a_filter_that_no_list_has_is_refused_before_anything_is_written() {
    let store = TaskStore::open_in_memory().unwrap();
    start(&store, "t");
    let refused: [(TaskFilter, &str); 3] = [
        (TaskFilter::new().performed_by("x".repeat(257)), "performed_by is 257 bytes long; the limit is 256"),
        (TaskFilter::new().dismissed_by("\0"), "dismissed_by must not contain NUL (U+0000)"),
        (TaskFilter::new().level_reached(Level::Info), "level_reached must be warn or error"),
    ];
    for (filter, problem) in refused {
        for write in BOTH {
            let mut out = Vec::new();
            assert_eq!(write(&store, &filter, &mut out).unwrap_err().to_string(), problem);
            assert_eq!(out, b"");
        }
        assert_eq!(store.list(&filter).unwrap_err().to_string(), problem);
    }
}

#[test]
fn how_long_something_runs_is_told_by_the_store_s_clock() {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    start(&store, "long");
    clock.advance_ns(600_000_000_000);
    start(&store, "short");
    let filter = TaskFilter::new().running_longer_than(Duration::from_secs(599));
    for write in BOTH {
        let text = written(&store, &filter, write);
        assert!(text.contains("\"long\"") && !text.contains("\"short\""), "{text}");
    }
    // A clock out of range hinders only who asks for it.
    clock.set(DateTime::<Utc>::MAX_UTC);
    for write in BOTH {
        let error = write(&store, &filter, &mut std::io::sink()).unwrap_err();
        assert!(matches!(error, Error::TimeOutOfRange { field: "clock", .. }), "{error:?}");
        assert!(written(&store, &TaskFilter::new(), write).contains("\"short\""));
    }
}

#[test]
fn an_export_has_no_progress_that_is_kept_and_not_written_yet() {
    let clock = ManualClock::at_ns(0);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let id: TaskId = start(&store, "t");
    store.progress(id, &Progress::new(1)).unwrap();
    store.progress(id, &Progress::new(2)).unwrap();
    assert_eq!(store.task(id).unwrap().progress.unwrap().done, 2);
    let exported = || written(&store, &TaskFilter::new(), BOTH[1]);
    assert!(exported().contains(r#""progress":{"done":1,"#), "{}", exported());
    store.flush().unwrap();
    assert!(exported().contains(r#""progress":{"done":2,"#), "{}", exported());
}
