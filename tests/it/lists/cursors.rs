//! Cursors: taken by the list that gave them out, and by no other.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use taskstore::{
    ConfigurationFilter, Cursor, Dismissed, Error, Level, NewTask, Order, Outcomes, SystemTaskFilter, TaskFilter,
    TaskStore,
};

use super::check::ids_of;
use super::world::configuration;
use crate::support::{ManualClock, Nanoseconds as _, children, open, options, start, temporary};

#[test]
fn a_page_that_ends_with_the_last_row_has_no_next_one() {
    let store = temporary();
    start(&store, "one");
    start(&store, "two");
    let tasks = |limit| store.list(&TaskFilter::new().limit(limit)).unwrap();
    let (system_tasks, mut uuid) = (store.system_tasks(), None);
    for _ in 0..2 {
        let run = system_tasks.start("a", None).unwrap();
        uuid = Some(run.uuid());
        run.finish().unwrap();
    }
    system_tasks.register("b", "").unwrap();
    let rows = |limit| system_tasks.list(&SystemTaskFilter::new().limit(limit)).unwrap();
    let runs = |limit| system_tasks.history(uuid.unwrap(), None, limit).unwrap();
    for (limit, more) in [(1, true), (2, false), (3, false)] {
        assert_eq!(tasks(limit).next.is_some(), more, "{limit} tasks");
        assert_eq!(rows(limit).next.is_some(), more, "{limit} system tasks");
        assert_eq!(runs(limit).next.is_some(), more, "{limit} runs");
    }
}

#[test]
fn a_cursor_of_the_other_order_and_what_is_none_are_refused_by_name() {
    let store = temporary();
    for title in ["1", "2", "3"] {
        start(&store, title);
    }
    let cursor = |order| store.list(&TaskFilter::new().order(order).limit(1)).unwrap().next.unwrap();
    let refused = |order, cursor: Cursor| {
        let error = store.list(&TaskFilter::new().order(order).cursor(cursor.clone())).unwrap_err();
        let named = matches!(&error, Error::InvalidCursor { cursor: named } if *named == cursor.to_string());
        assert!(named, "{error:?}");
        assert_eq!(error.to_string(), format!("the cursor {:?} does not belong to this list", cursor.to_string()));
    };
    let (newest, oldest) = (cursor(Order::NewestFirst), cursor(Order::OldestFirst));
    refused(Order::OldestFirst, newest.clone());
    refused(Order::NewestFirst, oldest);
    let prefix = newest.to_string().trim_end_matches(char::is_numeric).to_owned();
    let numbers = ["", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "1' OR 1=1 --", "٣"];
    let garbage = ["", "1", "next", "{}", "\0", "%", "next.0.0.1", "next...", "previous.0.0.1"];
    for text in numbers.map(|number| format!("{prefix}{number}")).into_iter().chain(garbage.map(str::to_owned)) {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            refused(order, text.parse().unwrap());
        }
    }
}

#[test]
fn a_cursor_is_taken_only_as_it_was_given_out() {
    let store = temporary();
    for title in ["1", "2", "3"] {
        start(&store, title);
    }
    let given = store.list(&TaskFilter::new().limit(1)).unwrap().next.unwrap().to_string();
    // It lies before task 3.
    assert!(given.ends_with(".2"), "{given}");
    for number in ["+2", "02", "002"] {
        let spelt = given.replace(".2", &format!(".{number}"));
        let answer = store.list(&TaskFilter::new().cursor(spelt.parse().unwrap()));
        assert!(matches!(&answer, Err(Error::InvalidCursor { cursor }) if *cursor == spelt), "{spelt}: {answer:?}");
    }
}

/// The filters of many lists, each another one, by which tasks of [`store_for_all`] pass.
fn filters() -> Vec<TaskFilter> {
    let ns = DateTime::<Utc>::from_timestamp_nanos;
    let any = || TaskFilter::new().dismissed(Dismissed::Included);
    let adds: [fn(TaskFilter) -> TaskFilter; 12] = [
        |filter| filter.configuration(configuration(0)),
        |filter| filter.configuration(configuration(1)),
        |filter| filter.configuration(ConfigurationFilter::Deleted),
        |filter| filter.configuration(ConfigurationFilter::None),
        |filter| filter.outcomes(Outcomes::IN_PROGRESS),
        |filter| filter.outcomes(Outcomes::FAILED),
        |filter| filter.outcomes(Outcomes::FAILED | Outcomes::IN_PROGRESS),
        |filter| filter.performed_by("ann"),
        |filter| filter.performed_by(""),
        |filter| filter.dismissed_by("ann"),
        |filter| filter.level_reached(Level::Warn),
        |filter| filter.level_reached(Level::Error),
    ];
    let mut filters: Vec<_> = adds.iter().map(|add| add(any())).collect();
    filters.extend([any(), TaskFilter::new(), TaskFilter::new().dismissed(Dismissed::Only)]);
    for text in ["", "a", "A", "aa"] {
        filters.extend([any().title(text), any().message(text), any().text(text)]);
    }
    filters.extend([any().title("a").message("aa"), any().title("aa").message("a"), any().title("a").text("a")]);
    for range in [(Some(ns(0)), None), (None, Some(ns(0))), (None, Some(ns(9))), (Some(ns(0)), Some(ns(9)))] {
        let (from, until) = range;
        let mut when = taskstore::TimeRange::ALWAYS;
        (when.from, when.until) = (from, until);
        let set: [fn(&mut TaskFilter) -> &mut taskstore::TimeRange; 3] =
            [|filter| &mut filter.started, |filter| &mut filter.updated, |filter| &mut filter.finished];
        filters.extend(set.map(|member| {
            let mut filter = any();
            *member(&mut filter) = when;
            filter
        }));
    }
    for duration in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1)] {
        filters.push(any().running_longer_than(duration));
    }
    let others = [Order::OldestFirst, Order::RecentlyUpdated, Order::LongestRunning];
    let ordered: Vec<_> = filters.iter().flat_map(|filter| others.map(|order| filter.clone().order(order))).collect();
    filters.into_iter().chain(ordered).collect()
}

/// Each task is three times there, so that a page of one has a next one.
fn store_for_all() -> TaskStore {
    let clock = ManualClock::at_ns(-9);
    let store = options().clock(clock.clone()).open_in_memory().unwrap();
    for name in ["one", "two", "gone"] {
        store.configurations().add(name).unwrap();
    }
    for number in 0..36 {
        if number == 18 {
            clock.advance_ns(14);
        }
        let new = NewTask::new("aa").performed_by(if number % 2 == 0 { "ann" } else { "" });
        let new = if number % 4 == 3 { new } else { new.configuration(configuration(number % 4)) };
        let id = store.start_detached(new).unwrap();
        store.message(id, [Level::Warn, Level::Error][number % 2], "aa").unwrap();
        match number % 3 {
            0 => continue,
            1 => store.fail(id, "because").unwrap(),
            _ => store.finish(id).unwrap(),
        }
        if number % 5 < 2 {
            store.dismiss(id, "ann").unwrap();
        }
    }
    store.configurations().delete(configuration(2)).unwrap();
    clock.advance_ns(2_000_000_000);
    store
}

#[test]
fn a_cursor_of_each_list_is_refused_by_all_others_and_taken_with_another_limit_and_time() {
    let store = store_for_all();
    let filters = filters();
    let mut with_rows = 0;
    for (number, filter) in filters.iter().enumerate() {
        let Some(cursor) = store.list(&filter.clone().limit(1)).unwrap().next else { continue };
        with_rows += 1;
        for (other_number, other) in filters.iter().enumerate() {
            let answer = store.list(&other.clone().limit(1).cursor(cursor.clone()));
            let is_refused =
                matches!(&answer, Err(Error::InvalidCursor { cursor: named }) if *named == cursor.to_string());
            assert_eq!(answer.is_ok(), number == other_number, "{other:?} by the cursor of {filter:?}");
            assert!(answer.is_ok() || is_refused);
        }
        let whole = store.list(filter).unwrap();
        let rest = filter.clone().limit(999).search_time_max(Duration::MAX).cursor(cursor);
        assert_eq!(store.list(&rest).unwrap().items, whole.items[1..]);
    }
    // All but those that nothing can pass, or one task at most: what is in progress has not ended.
    assert!(with_rows > filters.len() * 3 / 4, "{with_rows} of {}", filters.len());
}

#[test]
fn whether_dismissed_tasks_are_shown_is_no_matter_where_one_user_has_to_have_dismissed_them() {
    let store = store_for_all();
    let filter = TaskFilter::new().dismissed_by("ann").limit(1);
    let next = store.list(&filter).unwrap().next.unwrap();
    for dismissed in [Dismissed::Hidden, Dismissed::Included, Dismissed::Only] {
        assert_eq!(store.list(&filter.clone().dismissed(dismissed).cursor(next.clone())).unwrap().items.len(), 1);
    }
}

#[test]
fn ranges_that_are_spelt_in_another_way_are_the_same_list() {
    let store = store_for_all();
    let ns = DateTime::<Utc>::from_timestamp_nanos;
    let filter = TaskFilter::new().dismissed(Dismissed::Included).limit(1);
    let next = store.list(&filter.clone().started(..ns(100))).unwrap().next.unwrap();
    assert!(store.list(&filter.clone().started(..=ns(99)).cursor(next.clone())).is_ok());
    assert!(store.list(&filter.started(..=ns(100)).cursor(next)).is_err());
}

#[test]
fn hostile_cursors_are_refused_by_name_and_no_list_minds_them() {
    let store = temporary();
    let _: Vec<_> = (0..3).map(|_| start(&store, "a")).collect();
    let given = store.list(&TaskFilter::new().limit(1)).unwrap().next.unwrap().to_string();
    let parts: Vec<_> = given.split('.').collect();
    let with = |at: usize, part: &str| {
        let mut parts = parts.clone();
        parts[at] = part;
        parts.join(".")
    };
    let mut hostile: BTreeSet<String> =
        ["", ".", "...", "....", "\0", "next", "null", "{}", "next.x.0.1"].map(str::to_owned).into();
    for part in ["", " ", "-", "+1", "01", "9223372036854775808", "-9223372036854775809", "1e3", "٣", "１", "\0", "NaN"]
    {
        hostile.extend((0..4).map(|at| with(at, part)));
    }
    for part in ["0' OR 1=1 --", "1; DROP TABLE task", "\u{202e}", "👩‍👩‍👧‍👦", "%00", "../../etc/passwd", "NEXT", "Next"]
    {
        hostile.extend((0..4).map(|at| with(at, part)));
    }
    hostile.extend([
        format!("{given}."),
        format!(" {given}"),
        format!("{given}\n"),
        format!("{given}\0"),
        given.to_uppercase(),
    ]);
    hostile.extend(["9".repeat(1 << 20), "👩".repeat(1 << 18), ".".repeat(1 << 20), given.repeat(1_000)]);
    for text in hostile {
        let answer = store.list(&TaskFilter::new().cursor(text.parse().unwrap()));
        assert!(matches!(&answer, Err(Error::InvalidCursor { cursor }) if *cursor == text), "{text:?}: {answer:?}");
        let answer = store.list_with_messages(&TaskFilter::new().cursor(text.parse().unwrap()));
        assert!(matches!(&answer, Err(Error::InvalidCursor { cursor }) if *cursor == text), "{text:?}: {answer:?}");
    }
    assert_eq!(store.list(&TaskFilter::new()).unwrap().items.len(), 3);
}

#[test]
fn a_place_that_was_never_given_out_is_an_end_of_the_list_at_most() {
    let store = temporary();
    let ids: Vec<_> = (0..3).map(|_| start(&store, "a")).collect();
    for order in [Order::NewestFirst, Order::OldestFirst, Order::RecentlyUpdated, Order::LongestRunning] {
        let filter = TaskFilter::new().order(order).limit(1);
        let given = store.list(&filter).unwrap().next.unwrap().to_string();
        let parts: Vec<_> = given.split('.').collect();
        for (key, id) in
            [(i64::MIN, i64::MIN), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MAX, i64::MAX), (0, 0)]
        {
            for way in ["next", "previous"] {
                let forged = format!("{way}.{}.{key}.{id}", parts[1]);
                let page = store.list(&filter.clone().limit(9).cursor(forged.parse().unwrap())).unwrap();
                assert!(page.items.is_empty() || page.items.len() == ids.len(), "{forged}: {page:?}");
            }
        }
    }
}

#[test]
fn a_cursor_is_taken_by_another_opening_of_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let ids: Vec<_> = (0..3).map(|_| start(&store, "a")).collect();
    let filter = TaskFilter::new().text("A").started(..Utc::now()).order(Order::OldestFirst);
    let next = store.list(&filter.clone().limit(1)).unwrap().next.unwrap();
    store.close().unwrap();
    let rest = open(&path).list(&filter.cursor(next)).unwrap();
    assert_eq!(ids_of(&rest.items), ids[1..]);
}

#[test]
fn a_cursor_is_taken_by_another_process() {
    const TEST: &str = "lists::cursors::a_cursor_is_taken_by_another_process";
    let filter = TaskFilter::new().performed_by("").outcomes(Outcomes::IN_PROGRESS).order(Order::LongestRunning);
    if let Some((cursor, path)) = children::role() {
        let rest = open(&path).list(&filter.cursor(cursor.parse().unwrap())).unwrap();
        rest.items.iter().for_each(|task| children::say(&task.title));
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = open(&path);
    let _ = ["1", "2", "3"].map(|title| start(&store, title));
    let next = store.list(&filter.limit(1)).unwrap().next.unwrap();
    assert_eq!(children::run(children::command(TEST, &next.to_string(), &path)), ["2", "3"]);
}
