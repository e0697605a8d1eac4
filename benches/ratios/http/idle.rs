//! How long the slowest answers take while many connections are open that ask nothing.

use std::cell::RefCell;
use std::net::TcpStream;

use super::load::{Load, Request, get};
use super::server::Server;
use crate::measure::{Measured, Run};

const CLIENTS: usize = 8;
const IDLE: usize = 500;

/// The time of the slowest but one in a hundred answers with so many idle connections, to that without.
pub fn p99_to_without(run: &Run) -> Measured {
    let filled = run.system_tasks(1_000);
    let requests = filled.uuids.iter().map(|uuid| get(&format!("/api/v3/events/system_tasks/{uuid}/")));
    let requests: Vec<Request> = requests.collect();
    let [beside_idle, alone] = [(); 2].map(|()| Server::of_store(&filled.store));
    let [slow, quick] =
        [&beside_idle, &alone].map(|server| RefCell::new(Load::new(server.address, CLIENTS, &requests)));
    // The server closes those that ask nothing for long, so that each turn has its own.
    let with_idle = || {
        let idle: Vec<_> = (0..IDLE).map(|_| TcpStream::connect(beside_idle.address).expect("connects")).collect();
        let p99 = slow.borrow_mut().turn(run.turn).1;
        drop(idle);
        p99
    };
    run.compare(with_idle, || quick.borrow_mut().turn(run.turn).1)
}
