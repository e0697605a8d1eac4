//! The end of the server.

use std::io::ErrorKind;
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::mpsc;

use axum::routing::get;
use taskstore::http::{ServeOptions, serve};

use super::{ENDLESS, Running, SHORT, head, hello, wait_until};

fn wait_for_refusal(running: &Running) {
    wait_until("new connections to be refused", || {
        TcpStream::connect(running.address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
}

#[test]
fn answers_in_flight_arrive_whole_and_nobody_else_is_let_in() {
    let pieces = 1_024;
    let mut running = Running::new(hello(pieces), ServeOptions::new());
    let mut idle = running.client();
    assert_eq!(idle.get("/").status, 200);
    let mut taking = running.client_of(&head("GET", "/long"));
    assert_eq!(taking.head().unwrap().0, 200);
    running.stop();
    wait_for_refusal(&running);
    assert!(idle.is_ended());
    assert_eq!(taking.chunks().unwrap(), pieces * (64 << 10));
    assert!(taking.is_ended());
    running.end().unwrap();
}

#[test]
fn what_is_not_done_in_time_is_cut_off() {
    let (begun, handlers) = mpsc::channel();
    let never = async move || {
        begun.send(()).unwrap();
        std::future::pending::<()>().await;
    };
    let router = hello(ENDLESS).route("/never", get(never));
    let mut running = Running::new(router, ServeOptions::new().shutdown_time_max(SHORT));
    let mut waiting = running.client_of(&head("GET", "/never"));
    let mut taking = running.client_of(&head("GET", "/long"));
    handlers.recv().unwrap();
    taking.head().unwrap();
    running.stop();
    running.end().unwrap();
    assert!(waiting.is_ended());
    assert!(taking.chunks().is_err());
}

#[test]
fn a_listener_that_does_not_listen_any_more_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let same = TcpStream::from(OwnedFd::from(listener.try_clone().unwrap()));
    listener.set_nonblocking(true).unwrap();
    let ended = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let served = tokio::spawn(serve(listener, hello(0), ServeOptions::new(), std::future::pending()));
        same.shutdown(Shutdown::Both).unwrap();
        served.await.unwrap()
    });
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::InvalidInput);
}
