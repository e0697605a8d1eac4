//! Texts that are looked for in task after task: bounded in time, broken off, gone on with.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use taskstore::{Clock, Level, NewTask, Page, Progress, Task, TaskFilter, TaskStore};

use super::check::{Way, ids_of, pages};
use super::filters::{Asked, sketches};
use super::model::{Model, ORDERS, PARTS, Part};
use super::one_in;
use super::world::{World, steps};
use crate::support::{ManualClock, Nanoseconds as _, options, start, temporary};

/// A clock on which at each look some time has passed.
#[derive(Clone, Debug)]
struct Ticking {
    clock: ManualClock,
    ns: std::sync::Arc<[AtomicU64; 2]>,
}

impl Ticking {
    fn new(clock: ManualClock) -> Self {
        Self { clock, ns: std::sync::Arc::new([AtomicU64::new(0), AtomicU64::new(0)]) }
    }

    /// From now on so much at each look.
    fn tick(&self, ns: u64) {
        self.ns[1].store(ns, Ordering::Relaxed);
    }
}

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn monotonic(&self) -> Duration {
        let [passed, at_each_look] = &*self.ns;
        let passed = passed.fetch_add(at_each_look.load(Ordering::Relaxed), Ordering::Relaxed);
        self.clock.monotonic() + Duration::from_nanos(passed)
    }
}

/// A filter that looks for a text at least.
fn looking(mut asked: Asked) -> Asked {
    if !asked.looks_for_text() {
        asked.text = Some("A".to_owned());
    }
    asked
}

/// How many tasks are looked through for the whole list: those that pass all but the texts.
fn candidates(model: &Model, asked: &Asked) -> usize {
    let is_no_text = |(name, _): &Part| !["title", "message", "text"].contains(name);
    let others: Vec<Part> = PARTS.into_iter().filter(is_no_text).collect();
    model.list_by(&others, asked).len()
}

/// What all pages hold, one after another.
fn joined(pages: &[Page<Task>]) -> Vec<Task> {
    pages.iter().flat_map(|page| page.items.clone()).collect()
}

/// The pages back from the last one, in the order of the list.
fn back(filter: &TaskFilter, last: &Page<Task>, read: impl FnMut(&TaskFilter) -> Page<Task>) -> Vec<Page<Task>> {
    let mut pages = pages(filter, Way::Previous, last.clone(), read);
    pages.reverse();
    pages
}

proptest! {
    #![proptest_config(one_in(8))]

    #[test]
    fn a_search_that_runs_out_of_time_goes_on_where_it_stopped_there_and_back(
        steps in steps(), sketch in sketches(), looks in 0..6_u64, limit in 1..8_u32,
    ) {
        let clock = ManualClock::at_ns(0);
        let ticking = Ticking::new(clock.clone());
        let mut world = World::opened(&options().clock(ticking.clone()), clock);
        steps.iter().for_each(|step| world.take(step));
        for order in ORDERS {
            let asked = looking(sketch.on(&world.model)).in_order(order);
            ticking.tick(0);
            let whole = world.store.list(&asked.filter()).unwrap();
            prop_assert_eq!(&whole.next, &None);
            ticking.tick(10);
            let filter = asked.filter().limit(limit).search_time_max(Duration::from_nanos(looks * 10));
            let read = |filter: &TaskFilter| world.store.list(filter).unwrap();
            let there = pages(&filter, Way::Next, read(&filter), read);
            prop_assert_eq!(&joined(&there), &whole.items, "{:?}", asked);
            // At least one task is looked through for each page, and no more than there is time for.
            let candidates = candidates(&world.model, &asked);
            prop_assert!(there.len() <= candidates.max(1), "{} pages for {}", there.len(), candidates);
            prop_assert!(there.len() * (looks as usize + 1) >= candidates, "{} pages for {}", there.len(), candidates);
            let back = back(&filter, there.last().unwrap(), read);
            prop_assert_eq!(joined(&back), whole.items, "{:?}", asked);
            prop_assert!(back.len() <= candidates + 1, "{} pages for {}", back.len(), candidates);
        }
    }

    #[test]
    fn a_search_that_is_broken_off_goes_on_where_it_stopped_there_and_back(
        steps in steps(), sketch in sketches(), asks in 0..6_usize,
    ) {
        let world = World::new(&steps);
        for order in ORDERS {
            let asked = looking(sketch.on(&world.model)).in_order(order);
            let filter = asked.filter();
            let whole = world.store.list(&filter).unwrap();
            let read = |filter: &TaskFilter| {
                let mut left = asks;
                let go_on = || {
                    let go_on = left > 0;
                    left = left.saturating_sub(1);
                    go_on
                };
                world.store.list_while(filter, go_on).unwrap()
            };
            let there = pages(&filter, Way::Next, read(&filter), read);
            prop_assert_eq!(&joined(&there), &whole.items, "{:?}", asked);
            // It is asked before each task but the first.
            let candidates = candidates(&world.model, &asked);
            prop_assert_eq!(there.len(), candidates.div_ceil(asks + 1).max(1));
            let back = back(&filter, there.last().unwrap(), read);
            prop_assert_eq!(joined(&back), whole.items, "{:?}", asked);
        }
    }
}

#[test]
fn only_a_search_asks_whether_to_go_on() {
    let store = temporary();
    (0..9).for_each(|_| assert!(start(&store, "a").get() > 0));
    let refuse = || -> bool { panic!("asked") };
    let page = store.list_while(&TaskFilter::new().search_time_max(Duration::ZERO), refuse).unwrap();
    assert_eq!((page.items.len(), page.next), (9, None));
    let none_to_ask_for = TaskFilter::new().text("a").performed_by("nobody");
    assert!(store.list_while(&none_to_ask_for, refuse).unwrap().items.is_empty());
}

#[test]
fn a_search_is_broken_off_from_another_thread() {
    let store = temporary();
    store
        .batch(|batch| (0..100).try_for_each(|n| batch.start_detached(NewTask::new(n.to_string())).map(drop)))
        .unwrap();
    let is_wanted = AtomicBool::new(true);
    let (ask, asked) = mpsc::channel();
    let (answer, answered) = mpsc::channel();
    let page = std::thread::scope(|scope| {
        let is_wanted = &is_wanted;
        scope.spawn(move || {
            asked.recv_timeout(Duration::from_secs(60)).unwrap();
            is_wanted.store(false, Ordering::Relaxed);
            answer.send(()).unwrap();
        });
        let mut asks = 0;
        let page = store.list_while(&TaskFilter::new().text("9"), || {
            asks += 1;
            if asks == 30 {
                ask.send(()).unwrap();
                answered.recv_timeout(Duration::from_secs(60)).unwrap();
            }
            is_wanted.load(Ordering::Relaxed)
        });
        assert_eq!(asks, 30);
        page.unwrap()
    });
    let titles = |page: &Page<Task>| page.items.iter().map(|task| task.title.clone()).collect::<Vec<_>>();
    assert_eq!(titles(&page).len(), 12); // 99 to 90, 89 and 79
    let rest = store.list(&TaskFilter::new().text("9").cursor(page.next.unwrap())).unwrap();
    assert_eq!(titles(&rest), ["69", "59", "49", "39", "29", "19", "9"]);
}

#[test]
fn texts_are_found_whatever_the_case_and_no_character_has_another_meaning() {
    let store = temporary();
    let id = start(&store, "100 % Größe_1 \\ *? [a-z] 'x' \"y\" -- ; DÖNER");
    store.message(id, Level::Info, "ΣΊΣΥΦΟΣ\0behind\nе́ \u{212a}elvin ſharp İi").unwrap();
    let other = start(&store, "nothing of it");
    for (text, in_title, in_message) in [
        ("größe_1", true, false),
        ("GRÖßE_1", true, false),
        ("GRÖẞE_1", true, false),
        ("grösse", false, false),
        ("100 %", true, false),
        ("1%0", false, false),
        ("größe%1", false, false),
        ("gr__e", false, false),
        ("\\ *? [A-Z]", true, false),
        ("'X' \"Y\" -- ;", true, false),
        ("döner", true, false),
        ("do\u{308}ner", false, false),
        ("σίσυφος", false, true),
        ("\0BEHIND\n", false, true),
        ("kelvin SHARP", false, true),
        ("İI", false, true),
        // The dotless i is no case of the other.
        ("ıI", false, false),
    ] {
        let found = |filter: TaskFilter| !store.list(&filter).unwrap().items.is_empty();
        assert_eq!(found(TaskFilter::new().title(text)), in_title, "{text:?}");
        assert_eq!(found(TaskFilter::new().message(text)), in_message, "{text:?}");
        assert_eq!(found(TaskFilter::new().text(text)), in_title || in_message, "{text:?}");
    }
    // An empty text is in every title, and in every message that there is.
    for (filter, expected) in [
        (TaskFilter::new().title(""), vec![other, id]),
        (TaskFilter::new().text(""), vec![other, id]),
        (TaskFilter::new().message(""), vec![id]),
    ] {
        assert_eq!(ids_of(&store.list(&filter).unwrap().items), expected);
    }
}

#[test]
fn a_search_is_made_once_also_where_progress_is_written_all_the_while() {
    let clock = Ticking::new(ManualClock::at_ns(0));
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let id = start(&store, "copies");
    (0..60).for_each(|_| assert!(start(&store, "a").get() > 0));
    let filter = TaskFilter::new().text("a").search_time_max(Duration::from_secs(200));
    let (mut asks, mut told) = (0, 0);
    clock.tick(1_000_000_000);
    let page = store.list_while(&filter, || {
        asks += 1;
        // The first call is due and the second is kept, until it gives way to the next: the reader has to read again.
        clock.tick(0);
        for _ in 0..2 {
            told += 1;
            store.progress(id, &Progress::new(told)).unwrap();
        }
        clock.tick(1_000_000_000);
        true
    });
    // Where it read again, as a list does that looks for no text, it would ask again.
    assert_eq!(asks, 60);
    assert_eq!(page.unwrap().items.len(), 60);
}

#[test]
fn a_search_is_broken_off_also_among_the_messages_of_one_task() {
    let store = temporary();
    let id = start(&store, "talks");
    store.batch(|batch| (0..1_000).try_for_each(|_| batch.message(id, Level::Info, "x"))).unwrap();
    store.message(id, Level::Info, "needle").unwrap();
    start(&store, "is silent");
    let filter = TaskFilter::new().message("needle");
    let asked_until = |last: u32| {
        let mut asks = 0;
        let page = store.list_while(&filter, || {
            asks += 1;
            asks < last
        });
        (asks, page.unwrap())
    };
    // Once before the task that talks, and once for every 64 of its messages.
    let (asks, page) = asked_until(u32::MAX);
    assert_eq!((asks, ids_of(&page.items)), (1 + 1_000 / 64, vec![id]));
    let (asks, page) = asked_until(9);
    assert_eq!((asks, page.items.len()), (9, 0));
    // It goes on with that task, which is now the first and looked through whatever is answered.
    let next = filter.clone().cursor(page.next.unwrap());
    assert_eq!(ids_of(&store.list_while(&next, || false).unwrap().items), [id]);
}

#[test]
fn a_call_of_the_store_by_what_is_asked_is_refused_in_memory_and_taken_in_a_file() {
    for (store, is_refused) in [(TaskStore::open_in_memory().unwrap(), true), (temporary(), false)] {
        let ids = ["one", "two"].map(|title| start(&store, title));
        let mut answer = None;
        let page = store.list_while(&TaskFilter::new().text("o"), || {
            answer = Some(store.task(ids[0]));
            true
        });
        assert_eq!(page.unwrap().items.len(), 2);
        match answer.unwrap() {
            Err(error) => assert!(is_refused && matches!(error, taskstore::Error::InsideBatch), "{error:?}"),
            Ok(task) => assert!(!is_refused && task.id == ids[0]),
        }
    }
}
