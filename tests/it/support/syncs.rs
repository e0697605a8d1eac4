//! Sync calls, counted from outside by strace.

use std::process::Command;
use std::{env, fs};

/// How many sync calls this binary makes when it runs one test with these variables, or `None` where there is no strace.
pub(crate) fn count(test: &str, variables: &[(&str, &str)]) -> Option<usize> {
    calls(test, variables).map(|calls| calls.len())
}

/// The same calls, a line each with the path of the file.
#[allow(clippy::disallowed_methods)] // The trace is no database.
pub(crate) fn calls(test: &str, variables: &[(&str, &str)]) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    let traced = Command::new("strace")
        .args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,msync,sync_file_range,sync,syncfs", "-o"])
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
    Some(trace.lines().filter(|line| line.contains("sync") && line.contains(" = ")).map(str::to_owned).collect())
}
