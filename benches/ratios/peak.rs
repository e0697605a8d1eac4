//! The memory of a process: this binary runs itself again, with what it is to work on in a variable.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Does the work of the process that is measured, if this is one that the variable asks for.
#[allow(clippy::disallowed_methods)] // What the system says of a process is no database.
pub fn is_measured(variable: &str, work: impl FnOnce(&Path)) -> bool {
    let Some(path) = env::var_os(variable) else { return false };
    work(Path::new(&path));
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells the status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it has the peak");
    println!("{}", peak.trim().trim_end_matches(" kB"));
    true
}

/// The most memory that the process has which the variable asks for.
pub fn peak_mib(variable: &str, path: &Path) -> f64 {
    let binary = env::current_exe().expect("this binary has a path");
    let measured = Command::new(binary).env(variable, path).output().expect("starts");
    assert!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr));
    let kib: f64 = String::from_utf8_lossy(&measured.stdout).trim().parse().expect("a number");
    kib / 1024.0
}
