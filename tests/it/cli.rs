//! The command line program, run as people and scripts run it: the real binary in a directory of its own.

mod backup;
mod check;
mod configuration;
mod database;
mod export;
mod file_limit;
mod filter;
mod hostile;
mod import;
mod list;
mod prune;
mod recipes;
mod recover;
mod run_ending;
mod run_output;
mod run_recording;
mod run_signals;
mod serve;
mod serve_log;
mod show;
mod simulate;
mod stats;
mod system_task;
mod terminal;
mod token;
mod usage;
mod verbs;

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Once};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use taskstore::{Message, Task, TaskId, TaskStore};
use tempfile::TempDir;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of its own, and the program in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The default database.
    fn store(&self) -> TaskStore {
        TaskStore::open(self.path("tasks.db")).unwrap()
    }

    fn task(&self, id: i64) -> Task {
        self.store().task(TaskId::try_from(id).unwrap()).unwrap()
    }

    fn messages(&self, id: i64) -> Vec<Message> {
        self.store().messages(TaskId::try_from(id).unwrap(), 0, 1_000).unwrap()
    }

    /// Level and text of each message.
    fn said(&self, id: i64) -> Vec<String> {
        self.messages(id).iter().map(|message| format!("{} {}", message.level, message.text)).collect()
    }

    /// The program, in a process group of its own: in the foreground of the terminal that a person tests in, a signal
    /// would take other ways.
    fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_taskstore"));
        command.args(arguments).current_dir(self.directory.path()).process_group(0);
        command.env_remove("TASKSTORE_DB").env_remove("TASKSTORE_TOKEN_FILE");
        command
    }

    fn start<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Started {
        Started::new(self.command(arguments))
    }

    fn call<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Ended {
        self.start(arguments).end()
    }

    /// What a call prints that must succeed, and say nothing on standard error.
    fn ok<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let ended = self.call(arguments);
        assert_eq!((ended.code, ended.error.as_str()), (Some(0), ""));
        ended.text()
    }

    /// What a call says that must fail with status 1: one line on standard error, and nothing else.
    fn refused<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let ended = self.call(arguments);
        assert_eq!((ended.code, ended.text().as_str()), (Some(1), ""));
        assert!(ended.error.starts_with("taskstore: ") && ended.error.ends_with('\n'), "{:?}", ended.error);
        assert_eq!(ended.error.lines().count(), 1, "{:?}", ended.error);
        ended.error
    }

    /// Runs a shell script as task number 1, quietly.
    fn run(&self, script: &str) -> Ended {
        self.call(&["run", "-q", "--title", "t", "--", "sh", "-c", script])
    }

    fn start_run(&self, script: &str) -> Started {
        self.start(&["run", "-q", "--title", "t", "--", "sh", "-c", script])
    }
}

/// A program that runs.
struct Started {
    child: Child,
    output: Collected,
    error: Collected,
}

/// How it ended.
struct Ended {
    code: Option<i32>,
    signal: Option<i32>,
    core_dumped: bool,
    output: Vec<u8>,
    error: String,
    error_bytes: Vec<u8>,
}

impl Ended {
    fn text(&self) -> String {
        String::from_utf8(self.output.clone()).unwrap()
    }
}

/// A signal that whoever started the tests has them ignore, as a shell does with SIGINT for what runs in the background,
/// would be ignored by the program too. What we catch is back at its default in a program that we start.
fn catch_what_may_be_ignored() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in [SIGINT, SIGQUIT, SIGTERM, SIGHUP] {
            // It still ends us.
            register_conditional_default(signal, Arc::new(AtomicBool::new(true))).unwrap();
        }
    });
}

impl Started {
    fn new(mut command: Command) -> Self {
        catch_what_may_be_ignored();
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let output = Collected::new(child.stdout.take().unwrap());
        let error = Collected::new(child.stderr.take().unwrap());
        Self { child, output, error }
    }

    fn type_in(&mut self, bytes: &[u8]) {
        self.child.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Waits until it has printed so.
    fn wait_for(&self, text: &str) {
        self.output.wait_for(text);
    }

    /// The line that it prints first, without its end.
    fn first_line(&self) -> String {
        self.wait_for("\n");
        let printed = self.output.bytes.lock().unwrap().clone();
        String::from_utf8(printed).unwrap().lines().next().unwrap().to_owned()
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(self.pid(), signal).unwrap();
    }

    fn signal_group(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::killpg(self.pid(), signal).unwrap();
    }

    fn pid(&self) -> nix::unistd::Pid {
        nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap())
    }

    /// Closes its input and waits for its end.
    fn end(mut self) -> Ended {
        drop(self.child.stdin.take());
        let mut status = None;
        wait_until("the program to end", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let status = status.unwrap();
        let (code, signal, core_dumped) = (status.code(), status.signal(), status.core_dumped());
        let error_bytes = self.error.all();
        let error = String::from_utf8_lossy(&error_bytes).into_owned();
        Ended { code, signal, core_dumped, output: self.output.all(), error, error_bytes }
    }
}

impl Drop for Started {
    /// A test that fails leaves nothing running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What comes out of a pipe.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Collected {
    fn new(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 8 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut chunk) {
                kept.lock().unwrap().extend_from_slice(&chunk[..count]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn wait_for(&self, text: &str) {
        wait_until(text, || String::from_utf8_lossy(&self.bytes.lock().unwrap()).contains(text));
    }

    fn all(&mut self) -> Vec<u8> {
        self.reader.take().unwrap().join().unwrap();
        self.bytes.lock().unwrap().clone()
    }
}

fn wait_until(what: &str, mut happens: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// The name of whoever runs the tests.
fn login_user() -> String {
    let asked = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(asked.stdout).unwrap().trim_end().to_owned()
}
