//! Ratios of the library to the same statements hand-written on rusqlite, in one run, in turns.
//!
//! `cargo bench --bench ratios` prints one line a goal: `GOAL <name> <measured> <target> ok|short`, where the measured
//! figure is the median over the turns of (library's rate / raw rate). `-- --quick` takes fewer turns.

use std::env;
use std::time::{Duration, Instant};

use taskstore::{Batch, Durability, Level, NewTask, OpenOptions, TaskStore};

mod raw;

use raw::Raw;

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
        report(name, target, &sides.compare(turns, lifecycles, ours, Raw::lifecycle));
    }
    let sides = Sides::open(Durability::Full);
    report("lifecycles_in_one_batch/1000", 0.7, &sides.compare(turns, 1, thousand_in_a_batch, |raw| raw.batch(1_000)));
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

    /// The ratio of the rates, turn by turn; who goes first changes.
    fn compare(&self, turns: usize, count: usize, ours: fn(&TaskStore), raw: fn(&Raw)) -> Vec<f64> {
        let time_ours = || time(count, || ours(&self.store));
        let time_raw = || time(count, || raw(&self.raw));
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
    println!("GOAL {name} {median:.3} {target} {verdict} ({least:.3}, {most:.3})");
}
