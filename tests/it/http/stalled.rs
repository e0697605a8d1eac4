//! Readers that stop reading: what they get is cut off, so that it cannot be taken for whole.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use axum::Router;
use taskstore::TaskStore;

use super::streams::{drained, filled, list};
use super::{Served, ask, begun, options, runtime};
use crate::support::temporary;

const SHORT: Duration = Duration::from_millis(10);

#[test]
fn an_answer_that_nobody_takes_for_too_long_ends_in_an_error() {
    for store in [temporary(), TaskStore::open_in_memory().unwrap()] {
        let served = Served::with(filled(store, 50), options().send_time_max(SHORT).streams_max(1));
        served.runtime.block_on(async {
            let stalled = begun(&served.router, list()).await;
            // Another is served in its place as soon as it is cut off, which then must keep up itself.
            let begun_at = std::time::Instant::now();
            while begun(&served.router, list()).await.status() != 200 {
                assert!(begun_at.elapsed().as_secs() < 60, "it is not cut off");
            }
            let (bytes, end) = drained(stalled).await;
            assert!(bytes < 50 * 100_000 && end.is_err(), "{bytes} bytes");
        });
    }
}

#[test]
fn who_stalls_makes_room_for_who_comes() {
    let served = Served::with(filled(temporary(), 50), options().send_time_max(Duration::MAX).streams_max(1));
    served.runtime.block_on(async {
        let stalled = begun(&served.router, list()).await;
        let begun_at = std::time::Instant::now();
        let newcomer = loop {
            let newcomer = begun(&served.router, list()).await;
            if newcomer.status() == 200 {
                break newcomer;
            }
            assert_eq!(newcomer.status(), 503);
            assert!(begun_at.elapsed().as_secs() < 60, "nobody makes room");
        };
        let (bytes, end) = drained(stalled).await;
        assert!(bytes < 50 * 100_000 && end.is_err(), "{bytes} bytes");
        let (bytes, end) = drained(newcomer).await;
        assert!(bytes > 50 * 100_000 && end.is_ok(), "{bytes} bytes");
    });
}

#[test]
fn what_a_runtime_sends_that_shuts_down_goes_on_for_its_reader_and_another_runtime_answers_the_next() {
    let served = Served::with(filled(temporary(), 50), options().send_time_max(Duration::MAX));
    let stalled = served.runtime.block_on(begun(&served.router, list()));
    let Served { store, router, runtime: old } = served;
    old.shutdown_background();
    // The blocking thread waits for this reader without the runtime.
    let (_, end) = runtime().block_on(drained(stalled));
    end.unwrap();
    assert_eq!(runtime().block_on(ask(&router, list())).status, 200);
    drop(store);
}

/// Serves a router on a socket, on a thread of its own, as long as the program runs.
fn on_a_socket(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        runtime().block_on(async {
            axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), router).await.unwrap();
        });
    });
    address
}

/// Asks for the list, and reads the beginning of the answer; whether it is one of success.
fn asked(address: SocketAddr) -> (TcpStream, bool) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"POST /task/list HTTP/1.1\r\nhost: localhost\r\nx-user: ann\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut beginning = [0; 15];
    stream.read_exact(&mut beginning).unwrap();
    (stream, &beginning == b"HTTP/1.1 200 OK")
}

/// The rest of an answer; `false` if it has no end.
fn rest(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    // A reset is an end, too.
    let _ = stream.read_to_end(&mut rest);
    rest.ends_with(b"\r\n0\r\n\r\n")
}

#[test]
fn over_a_socket_an_answer_that_was_cut_off_has_no_end() {
    // More than the buffers of the system hold.
    let store = filled(temporary(), 400);
    let served = options().send_time_max(SHORT).streams_max(1);
    let address = on_a_socket(taskstore::http::router(store.clone(), served));
    let (stalled, is_begun) = asked(address);
    assert!(is_begun);
    // It is cut off when the place is free again.
    super::until(|| asked(address).1);
    assert!(!rest(stalled), "it has an end");

    let patient = on_a_socket(taskstore::http::router(store, options()));
    assert!(rest(asked(patient).0), "a whole one has none");
}
