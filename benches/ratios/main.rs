//! Ratios of the library to the same statements hand-written on rusqlite, in one run, in turns.
//!
//! `cargo bench --bench ratios` prints one line a goal: `GOAL <name> <measured> <target> ok|short`, where the measured
//! figure is the median over the turns of (library's rate / raw rate). `-- --quick` takes fewer turns.

use std::env;
use std::time::{Duration, Instant};

use taskstore::{Batch, Durability, Level, NewTask, OpenOptions, TaskStore};

mod raw;
mod system_task;
mod threads;

use raw::Raw;
use system_task::{Filled, RawRuns};

fn main() {
    // `cargo test --benches` asks for a sign of life, not for figures.
    let arguments: Vec<String> = env::args().collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let turns = match () {
        () if !given("--bench") => 1,
        () if given("--quick") => 9,
        () => 31,
    };

    println!("library / raw, median of {turns} turns (least, most)");
    for (durability, name, target, lifecycles) in
        [(Durability::Full, "lifecycle/full", 0.9, 40), (Durability::Normal, "lifecycle/normal", 0.8, 400)]
    {
        let sides = Sides::open(durability);
        report(name, target, &compare(turns, lifecycles, || ours(&sides.store), || sides.raw.lifecycle()));
    }
    let sides = Sides::open(Durability::Full);
    for (count, target) in [(16, 5.0), (64, 10.0)] {
        report(&format!("threads/{count}/full"), target, &threads(&sides, turns, count));
    }
    let thousand_raw = || sides.raw.batch(1_000);
    report("lifecycles_in_one_batch/1000", 0.7, &compare(turns, 1, || thousand_in_a_batch(&sides.store), thousand_raw));

    let (store, raw) = (OpenOptions::new().open_temporary().expect("a temporary store opens"), RawRuns::open());
    let run_raw = || system_task::run_raw(&raw.connection);
    report("system_task_run/full", 0.9, &compare(turns, 40, || system_task::run(&store), run_raw));
    for (size, name) in [(1_000, "1k"), (if turns > 1 { 100_000 } else { 1_000 }, "100k")] {
        let filled = Filled::with(size);
        let retrieve = compare(turns, 2_000, || filled.retrieve(), || filled.retrieve_raw());
        report(&format!("system_task_retrieve/{name}"), 1.0 / 1.3, &retrieve);
        for (order, ordering, sql) in
            [("default", "", system_task::BY_NAME_AND_UID), ("by_name", "name", system_task::BY_NAME)]
        {
            let page = compare(turns, 200, || filled.page(ordering), || filled.page_raw(sql));
            report(&format!("system_task_page_{order}/{name}"), 1.0 / 1.3, &page);
        }
        let without_total = time(2_000, || filled.page_without_total());
        println!("     system_task_page_without_total/{name} {:.1} us", without_total.as_secs_f64() * 500.0);
    }
}

/// A store and the raw opponent, each on a file of its own.
struct Sides {
    store: TaskStore,
    raw: Raw,
}

impl Sides {
    fn open(durability: Durability) -> Self {
        let store = OpenOptions::new().durability(durability).open_temporary().expect("a temporary store opens");
        Self { store, raw: Raw::open(durability) }
    }
}

/// The ratio of the rates, turn by turn; who goes first changes.
fn compare(turns: usize, count: usize, ours: impl Fn(), raw: impl Fn()) -> Vec<f64> {
    let time_ours = || time(count, &ours);
    let time_raw = || time(count, &raw);
    time_ours();
    time_raw();
    (0..turns)
        .map(|turn| {
            let (ours, raw) = if turn % 2 == 0 {
                let ours = time_ours();
                (ours, time_raw())
            } else {
                let raw = time_raw();
                (time_ours(), raw)
            };
            raw.as_secs_f64() / ours.as_secs_f64()
        })
        .collect()
}

/// The rate of many threads, each with lifecycles of its own, to that of one raw thread.
fn threads(sides: &Sides, turns: usize, count: usize) -> Vec<f64> {
    let (each, raw) = (12, 60);
    let turn = |_| {
        let ours = time(1, || threads::lifecycles(&sides.store, count, each)).as_secs_f64();
        let raw_one = time(raw, || sides.raw.lifecycle()).as_secs_f64() / f64::from(small(raw));
        raw_one * f64::from(small(count * each)) / ours
    };
    turn(0);
    (0..turns).map(turn).collect()
}

fn small(count: usize) -> u32 {
    u32::try_from(count).expect("a count of this benchmark is small")
}

/// Five verbs, each durable by itself.
fn ours(store: &TaskStore) {
    let id = store.start_detached(NewTask::new(raw::TITLE).performed_by(raw::USER)).expect("starts");
    for text in raw::MESSAGES {
        store.message(id, Level::Info, text).expect("records a message");
    }
    store.finish(id).expect("finishes");
}

fn thousand_in_a_batch(store: &TaskStore) {
    let lifecycle = |batch: &Batch<'_>| {
        let id = batch.start_detached(NewTask::new(raw::TITLE).performed_by(raw::USER))?;
        for text in raw::MESSAGES {
            batch.message(id, Level::Info, text)?;
        }
        batch.finish(id)
    };
    store.batch(|batch| (0..1_000).try_for_each(|_| lifecycle(batch))).expect("commits");
}

fn time(count: usize, mut work: impl FnMut()) -> Duration {
    let started = Instant::now();
    for _ in 0..count {
        work();
    }
    started.elapsed()
}

fn report(name: &str, target: f64, ratios: &[f64]) {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (Some(least), Some(median), Some(most)) = (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) else {
        return;
    };
    let verdict = if *median >= target { "ok" } else { "short" };
    println!("GOAL {name} {median:.3} {target:.2} {verdict} ({least:.3}, {most:.3})");
}
