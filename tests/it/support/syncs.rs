//! System calls, counted or made to fail from outside by strace; and processes that it kills before one of their calls.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use super::children::said_in;

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
    strace(&["-P", file.to_str().unwrap(), "-e", SYNCS, "-e", &inject], test, variables).map(drop)
}

/// What one test of this binary says, and how many calls of this kind on this file failed, while those fail that `what` tells
/// of: `error=ENOSPC:when=60..67`. `None` where there is no strace.
#[allow(clippy::disallowed_methods)] // The trace is no database.
pub(crate) fn inject(
    test: &str,
    variables: &[(&str, &str)],
    file: &Path,
    call: &str,
    what: &str,
) -> Option<(Vec<String>, usize)> {
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    let [calls, fault] = [format!("trace={call}"), format!("inject={call}:{what}")];
    let options = ["-P", file.to_str().unwrap(), "-e", &calls, "-e", &fault, "-o", trace.to_str().unwrap()];
    let said = strace(&options, test, variables)?;
    let trace = fs::read_to_string(trace).unwrap();
    Some((said, trace.lines().filter(|line| line.contains("(INJECTED)")).count()))
}

/// Runs one test of this binary on a file system that has no hard links; `None` where there is no strace.
pub(crate) fn refuse_links(test: &str, variables: &[(&str, &str)]) -> Option<()> {
    strace(&["-e", "trace=linkat", "-e", "inject=linkat:error=EPERM"], test, variables).map(drop)
}

/// Runs one test of this binary, killed before the call of this number that has to do with one of these files. Tells
/// whether it came so far; `None` where there is no strace.
pub(crate) fn kill(
    test: &str,
    variables: &[(&str, &str)],
    files: &[PathBuf],
    call: &str,
    number: usize,
) -> Option<bool> {
    let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={number}"));
    let files = files.iter().flat_map(|file| ["-P", file.to_str().unwrap()]);
    let options: Vec<_> = files.chain(["-e", &trace, "-e", &inject]).collect();
    let output = traced(&options, test, variables)?;
    // strace ends as the process has.
    let killed = output.status.signal() == Some(9);
    assert!(killed || output.status.success(), "{output:?}");
    Some(killed)
}

/// What the traced test says.
fn strace(options: &[&str], test: &str, variables: &[(&str, &str)]) -> Option<Vec<String>> {
    let output = traced(options, test, variables)?;
    assert!(output.status.success(), "{output:?}");
    Some(said_in(&String::from_utf8_lossy(&output.stderr)))
}

fn traced(options: &[&str], test: &str, variables: &[(&str, &str)]) -> Option<Output> {
    let directory = tempfile::tempdir().unwrap();
    let traced = Command::new("strace")
        .args(["-f", "-qq"])
        .args(options)
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .envs(variables.iter().copied())
        .env("TMPDIR", directory.path())
        .output();
    match traced {
        Ok(output) => Some(output),
        // CI has strace; a newcomer's machine need not.
        Err(error) if env::var_os("CI").is_none() => {
            eprintln!("not traced, since strace does not start: {error}");
            None
        }
        Err(error) => panic!("strace is needed: {error}"),
    }
}
