//! Faults of the environment: what is acknowledged is there, what is refused is not, and a store goes on when the fault ends.
//! Each kind of fault has a control: a writer with a defect, which the same check must find.

mod clock;
mod disk_full;
mod file_limit;
mod ledger;
mod memory;
mod moved;
mod network;
mod power;
mod read_only;
mod traced;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::files::is_root;

/// How long a test waits for what must happen, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tries until it succeeds, and gives how often it did not.
#[track_caller]
fn until<T, E: std::fmt::Debug>(mut attempt: impl FnMut() -> Result<T, E>) -> (T, usize) {
    let begun = Instant::now();
    let mut failures = 0;
    loop {
        match attempt() {
            Ok(value) => return (value, failures),
            Err(error) => assert!(begun.elapsed() < PATIENCE, "it still fails after {failures} tries: {error:?}"),
        }
        failures += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A file system that is mounted as long as this lives.
struct Mounted {
    point: PathBuf,
}

impl Mounted {
    /// Runs `mount` with these arguments and the point; `None`, and a note, where that cannot be.
    fn new(arguments: &[&str], point: &Path) -> Option<Self> {
        Self::with_stdin(arguments, point, Stdio::null())
    }

    fn with_stdin(arguments: &[&str], point: &Path, stdin: Stdio) -> Option<Self> {
        if !is_root(point) {
            eprintln!("not tested: only root mounts a file system");
            return None;
        }
        let mount = Command::new("mount").args(arguments).arg(point).stdin(stdin).output().unwrap();
        if !mount.status.success() {
            eprintln!("not tested: {}", String::from_utf8_lossy(&mount.stderr));
            return None;
        }
        Some(Self { point: point.to_owned() })
    }

    fn remount(&self, options: &str) {
        let status = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(&self.point).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.point).stderr(Stdio::null()).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            // A store of a failed test still has a file open.
            let _ = Command::new("umount").arg("--lazy").arg(&self.point).status();
        }
    }
}
