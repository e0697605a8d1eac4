//! Eight processes that write durable verbs to one file as fast as they can: how fairly they share it, and what it costs.
//!
//! `cargo bench --bench processes` prints the verbs a second of each process, the slowest over the mean, the longest waits,
//! and the rate of all over that of one process alone. `-- --seconds 30` takes longer.

#![allow(clippy::as_conversions)] // Of figures to be printed.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use taskstore::{Level, NewTask, TaskId, TaskStore};

/// In the environment of a writing process: the file.
const FILE: &str = "TASKSTORE_BENCH_FILE";
/// In the environment of a writing process: how long it writes.
const MILLIS: &str = "TASKSTORE_BENCH_MILLIS";

const PROCESSES: usize = 8;

fn main() {
    if let Ok(path) = env::var(FILE) {
        return write(Path::new(&path));
    }
    let arguments: Vec<String> = env::args().collect();
    let seconds = arguments.iter().skip_while(|argument| *argument != "--seconds").nth(1);
    let length = match seconds {
        Some(seconds) => Duration::from_secs(seconds.parse().expect("a number of seconds")),
        // `cargo test --benches` asks for a sign of life, not for figures.
        None if !arguments.iter().any(|argument| argument == "--bench") => Duration::from_millis(200),
        None => Duration::from_secs(10),
    };

    // The rate of one process alone drifts with the disk, so it is taken before and after.
    let before = race(1, length / 4);
    let all = race(PROCESSES, length);
    let after = race(1, length / 4);

    let rate = |waits: &[Vec<u64>], length: Duration| counts(waits).sum::<usize>() as f64 / length.as_secs_f64();
    let alone = (rate(&before, length / 4) + rate(&after, length / 4)) / 2.0;
    let together = rate(&all, length);
    let least = counts(&all).min().unwrap_or(0) as f64 * PROCESSES as f64 / counts(&all).sum::<usize>() as f64;
    println!("alone {alone:.0}/s, together {together:.0}/s: {:?}", counts(&all).collect::<Vec<_>>());

    let mut waits: Vec<u64> = all.into_iter().flatten().collect();
    waits.sort_unstable();
    let wait_s = |share: f64| waits.get(((waits.len() - 1) as f64 * share) as usize).map_or(0.0, |&us| us as f64 / 1e6);
    for (name, share) in [("median", 0.5), ("p99", 0.99), ("longest", 1.0)] {
        println!("     processes/8/wait_{name} {:.2} ms", wait_s(share) * 1e3);
    }
    report("wait_p999_s", wait_s(0.999), 1.0, wait_s(0.999) <= 1.0);
    report("slowest_to_mean", least, 0.5, least >= 0.5);
    report("rate_to_one", together / alone, 0.5, together / alone >= 0.5);
}

fn counts(waits: &[Vec<u64>]) -> impl Iterator<Item = usize> {
    waits.iter().map(Vec::len)
}

fn report(name: &str, measured: f64, target: f64, ok: bool) {
    println!("GOAL processes/8/{name} {measured:.3} {target:.2} {}", if ok { "ok" } else { "short" });
}

/// Lets so many processes write at once; each answers with its waits in microseconds.
fn race(processes: usize, length: Duration) -> Vec<Vec<u64>> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("tasks.db");
    let store = TaskStore::open(&path).expect("opens");
    store.start_detached(NewTask::new("shared")).expect("starts");
    let mut children: Vec<_> = (0..processes).map(|_| spawn(&path, length)).collect();
    for (_, stdout) in &mut children {
        stdout.read_line(&mut String::new()).expect("a child opens the store");
    }
    for (child, _) in &mut children {
        child.stdin.take().expect("its stdin is a pipe").write_all(b"!").expect("a child waits");
    }
    let waits = |(mut child, mut stdout): (Child, BufReader<ChildStdout>)| {
        let mut text = String::new();
        stdout.read_to_string(&mut text).expect("a child answers");
        assert!(child.wait().expect("a child ends").success(), "a child failed");
        text.lines().map(|line| line.parse().expect("a wait")).collect()
    };
    children.into_iter().map(waits).collect()
}

fn spawn(path: &Path, length: Duration) -> (Child, BufReader<ChildStdout>) {
    let program = env::current_exe().expect("this program has a path");
    let mut command = Command::new(program);
    command.env(FILE, path).env(MILLIS, length.as_millis().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("a child starts");
    let stdout = BufReader::new(child.stdout.take().expect("its stdout is a pipe"));
    (child, stdout)
}

/// One writing process.
fn write(path: &Path) {
    let store = TaskStore::open(path).expect("opens");
    println!("ready");
    std::io::stdin().read_exact(&mut [0]).expect("the parent says go");
    let millis = env::var(MILLIS).ok().and_then(|millis| millis.parse().ok()).expect("the parent says how long");
    let task = TaskId::try_from(1).expect("1 is an id");
    let (started, mut waits) = (Instant::now(), Vec::new());
    while started.elapsed() < Duration::from_millis(millis) {
        let called = Instant::now();
        store.message(task, Level::Info, "written").expect("records a message");
        waits.push(called.elapsed().as_micros());
    }
    let lines: Vec<String> = waits.iter().map(u128::to_string).collect();
    println!("{}", lines.join("\n"));
}
