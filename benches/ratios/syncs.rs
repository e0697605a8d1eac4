//! The syncs of a durable verb, counted from outside by strace: this binary is run again, and traced.

use std::process::Command;
use std::{env, fs, thread};

use taskstore::Durability;

use crate::measure::{Measured, Run};
use crate::tasks;
use crate::workload;

/// The variable that asks for the process that is counted, with its threads and the lifecycles of each.
const COUNTED: &str = "TASKSTORE_RATIOS_COUNTED";
const VERBS_OF_A_LIFECYCLE: usize = 5;

/// Does the work of the process that is counted, if this is it.
pub fn is_counted() -> bool {
    let Ok(work) = env::var(COUNTED) else { return false };
    let (threads, lifecycles) = work.split_once(' ').expect("two numbers");
    let (threads, lifecycles) = (number(threads), number(lifecycles));
    let store = tasks::store(Durability::Full);
    let record = || (0..lifecycles).for_each(|_| workload::lifecycle(&store, || ()));
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(record))));
    true
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

/// The syncs of a verb after the first few, with this many threads.
pub fn of_a_verb(run: &Run, threads: usize) -> Measured {
    // Enough for some checkpoints, which sync, too; the syncs of opening and closing are in both counts.
    let (few, more) = (20_usize.div_ceil(threads), 2_000_usize.min(run.rows_max).div_ceil(threads));
    match (count(threads, few), count(threads, few + more)) {
        (Ok(few), Ok(many)) => {
            let verbs = small(threads * more * VERBS_OF_A_LIFECYCLE);
            Measured::Turns(vec![(small(many) - small(few)) / verbs])
        }
        (Err(why), _) | (_, Err(why)) => Measured::Skipped(why),
    }
}

fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("a count of this benchmark is small"))
}

/// The sync calls of a process with this work, or why they cannot be counted.
#[allow(clippy::disallowed_methods)] // The trace is no database.
fn count(threads: usize, lifecycles: usize) -> Result<usize, String> {
    let directory = tempfile::tempdir().expect("makes a directory");
    let trace = directory.path().join("trace");
    let traced = Command::new("strace")
        // Only what is traced stops the process, so that its threads meet as they would without.
        .args(["-f", "-qq", "--seccomp-bpf", "-e", "trace=fsync,fdatasync,msync,sync_file_range,sync,syncfs", "-o"])
        .arg(&trace)
        .arg(env::current_exe().expect("this binary has a path"))
        .env(COUNTED, format!("{threads} {lifecycles}"))
        .output()
        .map_err(|error| format!("strace does not start: {error}"))?;
    if !traced.status.success() {
        return Err(format!("strace failed: {}", String::from_utf8_lossy(&traced.stderr).trim()));
    }
    let trace = fs::read_to_string(trace).expect("strace has written its trace");
    // A call that another thread interrupts takes two lines, of which one has its answer.
    Ok(trace.lines().filter(|line| line.contains("sync") && line.contains(" = ")).count())
}
