//! Ratios of the library to the same statements hand-written on rusqlite, in one run, in turns; and what is counted.
//!
//! `cargo bench --bench ratios` prints one line a goal: `GOAL <name> <measured> <target> ok|short (<least>, <most>)`,
//! where the measured figure is the median over the turns; a figure with nothing aimed at has no `GOAL` and no target.
//! `-- --quick` takes fewer and shorter turns, and a hundred thousand tasks for a million. Any other argument chooses
//! the goals that have it in their name: `cargo bench --bench ratios -- threads`. Those of HTTP need `--features http`,
//! those of futures `--features tokio`.

use std::env;

#[cfg(feature = "tokio")]
mod async_store;
mod goal;
mod goals;
#[cfg(feature = "http")]
mod http;
mod measure;
mod panel;
mod peak;
mod raw;
mod size;
mod syncs;
mod system_task;
mod tasks;
mod threads;
mod workload;

#[cfg(feature = "tokio")]
use async_store::GOALS as ASYNC_GOALS;
use goals::GOALS;
#[cfg(feature = "http")]
use http::GOALS as HTTP_GOALS;
use measure::Run;

#[cfg(not(feature = "tokio"))]
const ASYNC_GOALS: &[goal::Goal] = &[];
#[cfg(not(feature = "http"))]
const HTTP_GOALS: &[goal::Goal] = &[];

fn main() {
    #[cfg(feature = "http")]
    if http::is_measured() {
        return;
    }
    if syncs::is_counted() || panel::is_measured() {
        return;
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given = |name: &str| arguments.iter().any(|argument| argument == name);
    let run = match () {
        // `cargo test --benches` asks for a sign of life, not for figures.
        () if !given("--bench") => Run::once(),
        () if given("--quick") => Run::quick(),
        () => Run::full(),
    };
    let names: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let is_chosen = |name: &str| names.is_empty() || names.iter().any(|part| name.contains(part.as_str()));

    println!("{run}");
    let goals = || GOALS.iter().chain(ASYNC_GOALS).chain(panel::GOALS).chain(HTTP_GOALS);
    let mut chosen = goals().filter(|goal| is_chosen(goal.name)).peekable();
    if chosen.peek().is_none() {
        println!("no goal has this in its name; there are:");
        goals().for_each(|goal| println!("     {}", goal.name));
    }
    chosen.for_each(|goal| println!("{}", goal.line(&run)));
}
