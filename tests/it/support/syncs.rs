//! Sync calls, counted or made to fail from outside by strace.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

const SYNCS: &str = "trace=fsync,fdatasync,msync,sync_file_range,sync,syncfs";

/// How many sync calls this binary makes when it runs one test with these variables, or `None` where there is no strace.
pub(crate) fn count(test: &str, variables: &[(&str, &str)]) -> Option<usize> {
    calls(test, variables).map(|calls| calls.len())
}

/// The same calls, a line each with the path of the file.
#[allow(clippy::disallowed_methods)] // The trace is no database.
pub(crate) fn calls(test: &str, variables: &[(&str, &str)]) -> Option<Vec<String>> {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    strace(&["-y", "-e", SYNCS, "-o", trace.to_str().unwrap()], test, variables)?;
    let trace = fs::read_to_string(trace).unwrap();
    Some(trace.lines().filter(|line| line.contains("sync") && line.contains(" = ")).map(str::to_owned).collect())
}

/// Runs one test of this binary while syncs of this file fail, from this one on; `None` where there is no strace.
pub(crate) fn fail(test: &str, variables: &[(&str, &str)], file: &Path, from: usize) -> Option<()> {
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={from}+");
    strace(&["-P", file.to_str().unwrap(), "-e", SYNCS, "-e", &inject], test, variables)
}

/// Runs one test of this binary on a file system that has no hard links; `None` where there is no strace.
pub(crate) fn refuse_links(test: &str, variables: &[(&str, &str)]) -> Option<()> {
    strace(&["-e", "trace=linkat", "-e", "inject=linkat:error=EPERM"], test, variables)
}

fn strace(options: &[&str], test: &str, variables: &[(&str, &str)]) -> Option<()> {
    let directory = tempfile::tempdir().unwrap();
    let traced = Command::new("strace")
        .args(["-f", "-qq"])
        .args(options)
        .arg(env::current_exe().unwrap())
        .args(["--exact", test])
        .envs(variables.iter().copied())
        .env("TMPDIR", directory.path())
        .output();
    match traced {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        // CI has strace; a newcomer's machine need not.
        Err(error) if env::var_os("CI").is_none() => {
            eprintln!("not traced, since strace does not start: {error}");
            return None;
        }
        Err(error) => panic!("strace is needed: {error}"),
    }
    Some(())
}
