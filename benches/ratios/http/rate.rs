//! Requests a second.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use taskstore::{Level, NewTask, TaskStore};

use super::load::{Load, Request, get, post};
use super::server::Server;
use crate::measure::{Measured, Run};
use crate::panel::Kind;

const CLIENTS: usize = 64;

pub fn retrieve(run: &Run) -> Measured {
    let filled = run.system_tasks(1_000);
    let requests = filled.uuids.iter().map(|uuid| get(&format!("/api/v3/events/system_tasks/{uuid}/")));
    compare(run, &filled.path(), &requests.collect::<Vec<_>>())
}

pub fn page(run: &Run) -> Measured {
    let filled = run.system_tasks(1_000);
    compare(run, &filled.path(), &[get("/api/v3/events/system_tasks/?page_size=20")])
}

pub fn show(run: &Run) -> Measured {
    let filled = run.panel(Kind::AllVisible, run.large());
    let bodies = (0..1_000).map(|_| format!(r#"{{"params":{{"task_id":{}}}}}"#, filled.id()));
    let requests = bodies.map(|body| post("/task/show", &body));
    compare(run, filled.path(), &requests.collect::<Vec<_>>())
}

/// The rate of the store's answers to that of a constant one that is as long as the first of them.
fn compare(run: &Run, path: &Path, requests: &[Request]) -> Measured {
    let store = TaskStore::open(path).expect("opens");
    let ours = Server::of_store(&store);
    let body = Load::body(ours.address, requests.first().expect("there is one"));
    let length = body.len();
    let constant = Server::of_constant(body);
    let [ours, constant] = [&ours, &constant].map(|server| RefCell::new(Load::new(server.address, CLIENTS, requests)));
    let rate = |load: &RefCell<Load>| beside_a_writer(&store, || load.borrow_mut().turn(run.turn).0);
    let measured = run.compare(|| rate(&ours), || rate(&constant));
    let constant = rate(&constant);
    measured.note(format!("{length} bytes; the constant one {constant:.0} a second"))
}

/// Does `work` while another thread records messages, each durable by itself.
fn beside_a_writer<T>(store: &TaskStore, work: impl FnOnce() -> T) -> T {
    let id = store.start_detached(NewTask::new("Copy")).expect("starts");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                store.message(id, Level::Info, "Copying the data files of db 7.west").expect("records");
            }
        });
        let done = work();
        stop.store(true, Ordering::Relaxed);
        done
    })
}
