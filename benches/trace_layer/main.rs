//! What an event costs whoever logs it: with the layer, with `fmt` writing to a file, and with no layer at all, in one run, in
//! turns.
//!
//! `cargo bench --features tracing --bench trace_layer` prints nanoseconds an event, the median over the turns (least, most),
//! and a line for each goal: `GOAL <name> <measured> <target> ok|short (<least>, <most>)`. `-- --quick` takes fewer turns.

use std::env;
use std::fs::File;
use std::sync::Mutex;
use std::time::Instant;

use taskstore::TaskStore;
use taskstore::trace_layer::{TaskLayer, TaskLayerHandle, WhenFull};
use tracing::{Dispatch, info, info_span};
use tracing_subscriber::prelude::*;

/// What logs, and how it ends.
struct Side {
    name: &'static str,
    dispatch: Dispatch,
    handle: Option<TaskLayerHandle>,
}

impl Side {
    fn of_layer(name: &'static str, store: &TaskStore, keep_first: u64, when_full: WhenFull) -> Self {
        let builder = TaskLayer::builder(store).keep_first(keep_first).when_full(when_full);
        let (layer, handle) = builder.build().expect("a store that can be written");
        Self { name, dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)), handle: Some(handle) }
    }

    /// Nanoseconds an event.
    fn log(&self, span: &str, events: u32) -> f64 {
        tracing::dispatcher::with_default(&self.dispatch, || {
            let span = match span {
                "task" => info_span!("work", task.title = "Work", task.performed_by = "ann"),
                "job" => info_span!("work", system_task.name = "work"),
                _ => info_span!("work"),
            };
            let entered = span.entered();
            if let Some(handle) = &self.handle {
                // The start is not what is measured.
                handle.flush();
            }
            let started = Instant::now();
            for number in 0..events {
                info!(number, host = "db1", "copied a file");
            }
            let elapsed = started.elapsed();
            drop(entered);
            elapsed.as_secs_f64() * 1e9 / f64::from(events)
        })
    }

    fn settle(&self) {
        if let Some(handle) = &self.handle {
            handle.flush();
            assert_eq!(handle.lost(), 0, "{}: {:?}", self.name, handle.last_error());
        }
    }
}

struct Figures(Vec<f64>);

impl Figures {
    /// The median, the least and the most.
    fn summary(&self) -> (f64, f64, f64) {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        (at(sorted.len() / 2), at(0), at(sorted.len().saturating_sub(1)))
    }
}

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    // `cargo test --benches` asks for a sign of life, not for figures.
    let (turns, hot, burst) = match () {
        () if !given("--bench") => (1, 200, 50),
        () if given("--quick") => (7, 20_000, 2_000),
        () => (31, 100_000, 5_000),
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = TaskStore::open(directory.path().join("tasks.db")).expect("a new store");
    let file = File::create(directory.path().join("log")).expect("a new file");
    let fmt = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Mutex::new(file));
    let fmt =
        Side { name: "fmt to a file", dispatch: Dispatch::new(tracing_subscriber::registry().with(fmt)), handle: None };
    let bare = Side { name: "no layer", dispatch: Dispatch::new(tracing_subscriber::registry()), handle: None };
    let default = Side::of_layer("defaults", &store, 1_000, WhenFull::Wait);
    let whole = Side::of_layer("every event kept", &store, u64::MAX, WhenFull::Wait);
    let dropping = Side::of_layer("every event kept, drop", &store, u64::MAX, WhenFull::Drop);

    // Each: what is measured, its side, the span and the events of a turn.
    let cases = [
        ("registry alone, in a span", &bare, "plain", hot),
        ("fmt to a file, in a span", &fmt, "plain", hot),
        ("outside a task", &default, "plain", hot),
        ("hot loop in a task, defaults", &default, "task", hot),
        ("hot loop in a system task, defaults", &default, "job", hot),
        ("burst within the queue, every event kept", &whole, "task", burst),
        ("hot loop, every event kept, drop", &dropping, "task", hot),
        ("hot loop, every event kept, wait", &whole, "task", hot),
    ];
    let mut figures: Vec<Figures> = cases.iter().map(|_| Figures(Vec::new())).collect();
    for turn in 0..=turns {
        for ((_, side, span, events), figures) in cases.iter().zip(&mut figures) {
            let cost = side.log(span, *events);
            side.settle();
            // The first turn warms up.
            if turn > 0 {
                figures.0.push(cost);
            }
        }
    }
    println!("nanoseconds an event: median (least, most) of {turns} turns of {hot} events, a burst of {burst}");
    for ((name, ..), figures) in cases.iter().zip(&figures) {
        let (median, least, most) = figures.summary();
        println!("     {name} {median:.0} ({least:.0}, {most:.0})");
    }
    println!(
        "     dropped in the hot loops that drop: {}",
        dropping.handle.as_ref().map_or(0, TaskLayerHandle::dropped)
    );
    let [bare, fmt, _, task, job, burst, dropping, waiting] = &figures[..] else { return };
    let goal = |name: &str, of: &Figures, target: f64| {
        let slower = of.0.iter().zip(&bare.0).map(|(of, bare)| (of - bare) / 1e3);
        print_goal(&format!("{name}_slower_us"), &Figures(slower.collect()), Some(target));
        let ratio = of.0.iter().zip(&fmt.0).map(|(of, fmt)| of / fmt);
        print_goal(&format!("{name}_to_fmt"), &Figures(ratio.collect()), None);
    };
    goal("trace_hot_task", task, 2.0);
    goal("trace_hot_system_task", job, 2.0);
    goal("trace_burst", burst, 2.0);
    goal("trace_hot_drop", dropping, 2.0);
    goal("trace_hot_wait", waiting, 2.0);
}

/// Less is better.
fn print_goal(name: &str, figures: &Figures, target: Option<f64>) {
    let (median, least, most) = figures.summary();
    match target {
        Some(target) => {
            let verdict = if median <= target { "ok" } else { "short" };
            println!("GOAL {name} {median:.3} {target:.2} {verdict} ({least:.3}, {most:.3}; less is better)");
        }
        None => println!("     {name} {median:.3} ({least:.3}, {most:.3})"),
    }
}
