//! A test harness that takes a client of the task API through a scripted outage: `cargo run --example harness --features http`.
//!
//! A simulated system lives in a store that is served over HTTP. The client is any program that polls it; here it is a few lines
//! over a socket, and besides any command that is given: it is run at each stage with the address in `BASE_URL` and what it must
//! see of the system-task API in `EXPECTED`, a page of rows, or `null` where the server must fail. `tests/clients/outage.py` is
//! that for the published Python client: `harness python3 tests/clients/outage.py`. The script has the disk fill up, a commit end unknown, and the process crash, and tells what the client must see
//! at each stage. Time is virtual: hours of history take a second, and every run sees the same.

use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;
use taskstore::http::{self, AnonymousLoopback, Options, Rights, ServeOptions};
use taskstore::testing::{Fault, Faults, Simulation};
use taskstore::wire::system_task_api::{ListRequest, write_list};
use taskstore::wire::task_api::{Answer, Task, TaskList};
use taskstore::{Error, NewTask, OpenOptions, TaskStore};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Outcome = Result<(), Box<dyn StdError>>;

const MINUTE: Duration = Duration::from_secs(60);

fn main() -> Outcome {
    let directory = tempfile::tempdir()?;
    let mut harness = Harness::start(&directory.path().join("tasks.db"))?;
    calm(&mut harness)?;
    full_disk(&mut harness)?;
    unknown_outcome(&mut harness)?;
    crash(&mut harness)?;
    println!("the client has seen what it must through {} faults", harness.faults.injected());
    harness.server.stop()
}

/// Two hours have passed, and as the system works on, the client sees it.
fn calm(harness: &mut Harness) -> Outcome {
    harness.simulation.run_for(&harness.store, 120 * MINUTE)?;
    let before = harness.client().list()?;
    harness.simulation.run_for(&harness.store, 10 * MINUTE)?;
    let after = harness.client().list()?;
    let newest = |tasks: &[Task]| tasks.first().map_or(0, |task| task.task_id);
    assert!(newest(&after) > newest(&before), "tasks have started");
    let now_ended = |task: &&Task| after.iter().any(|later| later.task_id == task.task_id && later.finished.is_some());
    assert!(before.iter().filter(|task| task.state == "In Progress").filter(now_ended).count() > 0, "tasks have ended");
    harness.others_see_all()?;
    println!("calm: the client sees {} tasks, of which {} are in progress", after.len(), in_progress(&after));
    Ok(())
}

/// Writes are refused, reads go on. Once there is room again, so does all that was held up.
fn full_disk(harness: &mut Harness) -> Outcome {
    let before = harness.client().list()?;
    let ended = before.iter().find(|task| task.finished.is_some()).ok_or("no task has ended")?.task_id;

    harness.faults.until_ended(Fault::DiskFull);
    let refused = harness.simulation.run_for(&harness.store, 10 * MINUTE);
    assert!(matches!(refused, Err(Error::DiskFull { .. })), "{refused:?}");
    let (status, answer) = harness.client().ask::<Task>("/task/dismiss", &json!({ "params": { "task_id": ended } }))?;
    assert_eq!((status, answer.error.ok_or("it was dismissed")?.message.as_str()), (500, "the disk is full"));
    assert_eq!(harness.client().list()?, before, "nothing has changed, and all of it can be read");
    harness.others_see_all()?;

    harness.faults.end();
    // The store leaves a disk alone that has just failed, for a second at most.
    until_written(|| harness.simulation.run_for(&harness.store, 10 * MINUTE))?;
    let (status, answer) = harness.client().ask::<Task>("/task/dismiss", &json!({ "params": { "task_id": ended } }))?;
    assert_eq!((status, answer.result.ok_or("it was not dismissed")?.state.as_str()), (200, "Dismissed"));
    let after = harness.client().list()?;
    assert!(after.iter().all(|task| task.task_id != ended));
    harness.others_see_all()?;
    println!("full disk: refused, then made up for; the client sees {} tasks", after.len());
    Ok(())
}

/// The application does not know whether its task was started, and starts it again with the same key: there is one.
fn unknown_outcome(harness: &mut Harness) -> Outcome {
    for written in [true, false] {
        let title = format!("Pay invoices, written: {written}");
        let task = NewTask::new(title.clone()).performed_by("ann").key(title.clone());
        harness.faults.next(Fault::OutcomeUnknown { written });
        let unknown = harness.store.start_detached(task.clone());
        assert!(matches!(unknown, Err(Error::OutcomeUnknown { .. })), "{unknown:?}");
        let id = harness.store.start_detached(task)?;
        let seen: Vec<_> = harness.client().list()?.into_iter().filter(|task| task.title == title).collect();
        assert_eq!(seen.iter().map(|task| task.task_id).collect::<Vec<_>>(), [id.get()]);
    }
    harness.others_see_all()?;
    println!("unknown outcome: tried again with the same key, and the client sees one task each");
    Ok(())
}

/// The process is gone amid a commit. The next one finds its work, and the client sees what was cut off.
fn crash(harness: &mut Harness) -> Outcome {
    let guard = harness.store.start(NewTask::new("Copy the archive").performed_by("ben"))?;
    guard.info("copying 2 of 9 files")?;
    let (before, started) = (harness.client().list()?, harness.simulation.tasks_started());

    harness.faults.next(Fault::Crash { written: true });
    let crashed = harness.simulation.run_for(&harness.store, 30 * MINUTE);
    assert!(matches!(crashed, Err(Error::OutcomeUnknown { .. })), "{crashed:?}");
    let (status, _) = harness.client().ask::<TaskList>("/task/list", &json!({}))?;
    assert_eq!(status, 500, "the server has nothing to answer with");
    harness.others_see("null")?;
    let id = guard.id().get();
    drop(guard); // a process that has crashed writes nothing

    harness.restart()?;
    let after = harness.client().list()?;
    let cut_off = after.iter().find(|task| task.task_id == id).ok_or("the task is gone")?;
    let said: Vec<_> = cut_off.messages.iter().map(|message| message.message.as_str()).collect();
    let expected = format!("interrupted: process {} ended without finishing it", std::process::id());
    assert_eq!((cut_off.state.as_str(), said), ("Failed", vec!["copying 2 of 9 files", expected.as_str()]));
    assert!(after.len() > before.len(), "what was written with the crash is there");

    // The simulated system finds what is there and goes on, as if nothing had been.
    let until = harness.simulation.now() + 60 * MINUTE;
    harness.simulation.run_until(&harness.store, until)?;
    assert!(harness.simulation.tasks_started() > started);
    assert_eq!(harness.store.check()?, []);
    harness.others_see_all()?;
    harness.simulation.settle(&harness.store)?;
    println!("crash: the client sees the task that was cut off, and the system works on");
    Ok(())
}

/// A simulated system, in a store that fails on demand, which is served.
struct Harness {
    path: PathBuf,
    simulation: Simulation,
    faults: Faults,
    store: TaskStore,
    server: Server,
}

impl Harness {
    fn start(path: &Path) -> Result<Self, Box<dyn StdError>> {
        let (simulation, faults) = (Simulation::new(7).tasks_per_hour(60), Faults::new());
        let store = open(path, &simulation, &faults)?;
        let server = Server::start(store.clone())?;
        Ok(Self { path: path.to_owned(), simulation, faults, store, server })
    }

    /// Another process, as far as store and client can tell.
    fn restart(&mut self) -> Outcome {
        self.store = open(&self.path, &self.simulation, &self.faults)?;
        std::mem::replace(&mut self.server, Server::start(self.store.clone())?).stop()
    }

    /// The command that was given sees all system tasks, as they are now.
    fn others_see_all(&self) -> Outcome {
        let mut page = Vec::new();
        write_list(&self.store, &ListRequest::parse([("page_size", "1000")])?, &mut page)?;
        self.others_see(&String::from_utf8(page)?)
    }

    fn others_see(&self, expected: &str) -> Outcome {
        let mut command = std::env::args().skip(1);
        let Some(program) = command.next() else { return Ok(()) };
        let mut client = Command::new(program);
        client.args(command).env("BASE_URL", format!("http://{}", self.server.address)).env("EXPECTED", expected);
        let status = client.status()?;
        assert!(status.success(), "the client has not seen what it must: {status}");
        Ok(())
    }

    fn client(&self) -> Client {
        Client { server: self.server.address }
    }
}

fn open(path: &Path, simulation: &Simulation, faults: &Faults) -> taskstore::Result<TaskStore> {
    OpenOptions::new().clock(simulation.clock()).faults(faults).open(path)
}

/// Both APIs on a port of this machine.
struct Server {
    address: SocketAddr,
    shutdown: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Server {
    fn start(store: TaskStore) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let router = http::router(store, Options::new(AnonymousLoopback::new(Rights::VIEW | Rights::DISMISS)));
        let (shutdown, asked) = oneshot::channel::<()>();
        let served = async move { http::serve(listener, router, ServeOptions::new(), async { _ = asked.await }).await };
        Ok(Self { address, shutdown, thread: thread::spawn(move || runtime.block_on(served)) })
    }

    fn stop(self) -> Outcome {
        drop(self.shutdown);
        self.thread.join().map_err(|_| "the server has panicked")??;
        Ok(())
    }
}

/// Stands for the program under test: put yours here.
struct Client {
    server: SocketAddr,
}

impl Client {
    fn list(&self) -> Result<Vec<Task>, Box<dyn StdError>> {
        let (status, answer) = self.ask::<TaskList>("/task/list", &json!({}))?;
        let list = answer.result.ok_or_else(|| format!("status {status}: {:?}", answer.error))?;
        Ok(list.tasks)
    }

    /// The status and the body of an answer.
    fn ask<T: serde::de::DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<(u16, Answer<T>), Box<dyn StdError>> {
        let (host, body) = (self.server, body.to_string());
        let mut stream = TcpStream::connect(host)?;
        let head = format!("POST {path} HTTP/1.0\r\nhost: {host}\r\ncontent-type: application/json\r\n");
        stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("the answer was cut off")?;
        let status = head.split(' ').nth(1).ok_or("the answer has no status")?;
        Ok((status.parse()?, serde_json::from_str(body)?))
    }
}

fn in_progress(tasks: &[Task]) -> usize {
    tasks.iter().filter(|task| task.state == "In Progress").count()
}

/// Tries again while the disk is full, as an application would.
fn until_written<T>(mut write: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let begun = Instant::now();
    loop {
        match write() {
            Err(error) if error.is_retryable() && begun.elapsed() < MINUTE => thread::sleep(Duration::from_millis(10)),
            answer => return answer,
        }
    }
}
