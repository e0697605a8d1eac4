//! Sync calls, counted from outside by strace.

use std::process::Command;
use std::{env, fs};

/// The sync calls of this binary when it runs one test with these variables, or `None` where there is no strace.
#[allow(clippy::disallowed_methods)] // The trace is no database.
pub(crate) fn count(test: &str, variables: &[(&str, &str)]) -> Option<usize> {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-e", "trace=fsync,fdatasync,msync,sync_file_range,sync,syncfs", "-o"])
        .arg(&trace)
        .arg(env::current_exe().unwrap())
        .args(["--exact", test])
        .envs(variables.iter().copied())
        .env("TMPDIR", directory.path())
        .output();
    match traced {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        // CI has strace; a newcomer's machine need not.
        Err(error) if env::var_os("CI").is_none() => {
            eprintln!("not counted, since strace does not start: {error}");
            return None;
        }
        Err(error) => panic!("strace is needed: {error}"),
    }
    let trace = fs::read_to_string(trace).unwrap();
    Some(trace.lines().filter(|line| line.contains("sync") && line.contains(" = ")).count())
}
