//! The memory of a process that serves a long list.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use taskstore::TaskStore;

use super::load::post;
use super::server::Server;
use crate::measure::{Measured, Run};
use crate::panel::Kind;
use crate::peak::{self, peak_mib};

/// The variable that asks for the process that is measured, with the store's path.
const MEASURED: &str = "TASKSTORE_RATIOS_HTTP_MEASURED";

/// The most memory that a process has which serves all tasks once, and reads them itself.
pub fn of_a_list(run: &Run) -> Measured {
    let filled = run.panel(Kind::AllVisible, run.large());
    Measured::Turns(vec![peak_mib(MEASURED, filled.path())])
}

/// Does the work of the process that is measured, if this is it.
pub fn is_measured() -> bool {
    peak::is_measured(MEASURED, serve_a_list)
}

fn serve_a_list(path: &Path) {
    let store = TaskStore::open(path).expect("opens");
    let server = Server::of_store(&store);
    let mut stream = TcpStream::connect(server.address).expect("connects");
    stream.write_all(&post("/task/list", "")).expect("asks");
    let (mut buffer, mut end) = (vec![0; 64 << 10], Vec::new());
    while !end.ends_with(b"\r\n0\r\n\r\n") {
        let count = stream.read(&mut buffer).expect("reads");
        assert!(count > 0, "the list was cut off");
        end.extend_from_slice(buffer.get(..count).expect("so much was read"));
        end.drain(..end.len().saturating_sub(7));
    }
}
