//! Real processes: a test runs this binary again, with itself as the only test and its role in the environment.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const ROLE: &str = "TASKSTORE_TEST_ROLE";
const FILE: &str = "TASKSTORE_TEST_FILE";
const SAID: &str = "child: ";

/// What this process is to do, and with which file; `None` in the process of the test itself.
pub(crate) fn role() -> Option<(String, PathBuf)> {
    Some((env::var(ROLE).ok()?, env::var_os(FILE).unwrap().into()))
}

/// In a child: waits until its siblings are as far, and the test lets all of them go.
pub(crate) fn wait_for_go() {
    say("ready");
    std::io::stdin().read_exact(&mut [0]).unwrap();
}

/// In a child: tells the test something, in one line, which is written at once: who is killed has told it or has not.
pub(crate) fn say(line: &str) {
    std::io::stderr().write_all(format!("{SAID}{line}\n").as_bytes()).unwrap();
}

/// The command that runs one test of this binary in a role, with a file.
pub(crate) fn command(test: &str, role: &str, file: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    put_in_role(&mut command, test, role, file);
    command
}

/// Adds the arguments and the environment of a role to a command that ends in this binary's path.
pub(crate) fn put_in_role(command: &mut Command, test: &str, role: &str, file: &Path) {
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, role).env(FILE, file);
}

/// The environment of a role.
pub(crate) fn in_role<'a>(role: &'a str, file: &'a Path) -> [(&'static str, &'a str); 2] {
    [(ROLE, role), (FILE, file.to_str().unwrap())]
}

/// What a child said, after it has ended well.
pub(crate) fn run(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}\n{}", String::from_utf8_lossy(&output.stdout));
    said_in(&stderr)
}

/// What a child has said, by all that it wrote to its stderr.
pub(crate) fn said_in(stderr: &str) -> Vec<String> {
    stderr.lines().filter_map(said).collect()
}

/// Processes that wait to be let go together.
pub(crate) struct Children(Vec<(Child, BufReader<ChildStderr>)>);

impl Children {
    /// Starts one child for each role, and waits until all of them are ready.
    pub(crate) fn ready(test: &str, roles: &[&str], file: &Path) -> Self {
        let spawned = roles.iter().map(|role| spawn(&mut command(test, role, file)));
        let mut children = Self(spawned.collect());
        for (_, stderr) in &mut children.0 {
            let mut before = Vec::new();
            let is_ready = |line: &String| said(line).as_deref() == Some("ready");
            let mut lines = stderr.lines().map_while(Result::ok).inspect(|line| before.push(line.clone()));
            let ready = lines.any(|line| is_ready(&line));
            assert!(ready, "a child of {test} did not come to its start:\n{}", before.join("\n"));
        }
        children
    }

    /// Lets all go, and gives what each has said by its end.
    pub(crate) fn go(mut self) -> Vec<Vec<String>> {
        let doors: Vec<_> = self.0.iter_mut().map(|(child, _)| child.stdin.take().unwrap()).collect();
        for mut door in doors {
            door.write_all(b"!").unwrap();
        }
        let ends = self.0.into_iter().map(|(mut child, mut stderr)| {
            let mut text = String::new();
            stderr.read_to_string(&mut text).unwrap();
            let status = child.wait().unwrap();
            assert!(status.success(), "a child failed:\n{text}");
            said_in(&text)
        });
        ends.collect()
    }
}

/// What a memory that does not grow may grow by all the same: machines hand it out in larger or smaller pieces.
pub(crate) const GROWTH_KIB_MAX: u64 = 6 << 10;

/// Says how much memory this process has taken at most, and how many bytes it has collected.
pub(crate) fn say_measure(collected_bytes: usize) {
    say(&peak_kib().to_string());
    say(&collected_bytes.to_string());
}

/// How much more a process of this role says by [`say_measure`] with the large file than with the small one: KiB of
/// memory, and bytes. The binary of all tests, of which each machine holds more or less, is in both.
pub(crate) fn growth(test: &str, role: &str, small: &Path, large: &Path) -> (u64, u64) {
    let [small, large] = [small, large].map(|file| {
        let said = run(command(test, role, file));
        [&said[0], &said[1]].map(|number| number.parse::<u64>().unwrap())
    });
    (large[0].saturating_sub(small[0]), large[1] - small[1])
}

/// The most memory that this process has had, in KiB.
#[allow(clippy::disallowed_methods)]
fn peak_kib() -> u64 {
    // No file of a store.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A process that tells the test something as it goes, until it is killed.
pub(crate) struct Telling(Child, BufReader<ChildStderr>);

impl Telling {
    pub(crate) fn start(test: &str, role: &str, file: &Path) -> Self {
        Self::start_with(test, role, file, &[])
    }

    /// The same, with these variables besides.
    pub(crate) fn start_with(test: &str, role: &str, file: &Path, variables: &[(&str, &str)]) -> Self {
        let (child, stderr) = spawn(command(test, role, file).envs(variables.iter().copied()));
        Self(child, stderr)
    }

    /// What it says next.
    pub(crate) fn next(&mut self) -> String {
        let mut before = String::new();
        while self.1.read_line(&mut before).unwrap() > 0 {
            if let Some(line) = before.lines().last().and_then(said) {
                return line;
            }
        }
        panic!("a child has ended:\n{before}");
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().try_into().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).unwrap();
    }

    /// Lets it go on where it [waits](wait_for_go).
    pub(crate) fn go(&mut self) {
        self.0.stdin.as_mut().unwrap().write_all(b"!").unwrap();
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn end(mut self) {
        let mut text = String::new();
        self.1.read_to_string(&mut text).unwrap();
        assert!(self.0.wait().unwrap().success(), "a child failed:\n{text}");
    }

    /// Kills it, without waiting for others that hold its output.
    pub(crate) fn kill_alone(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Kills it, and gives what it had said before. A line of which only a part was written was not said.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
        let mut text = String::new();
        self.1.read_to_string(&mut text).unwrap();
        text.split_inclusive('\n').filter_map(|line| said(line.strip_suffix('\n')?)).collect()
    }
}

fn spawn(command: &mut Command) -> (Child, BufReader<ChildStderr>) {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    (child, stderr)
}

fn said(line: &str) -> Option<String> {
    line.strip_prefix(SAID).map(str::to_owned)
}
