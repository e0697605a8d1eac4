//! More clients than there are places.

use std::sync::{Arc, mpsc};

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http_body_util::BodyExt;
use taskstore::http::ServeOptions;
use tokio::sync::Semaphore;

use super::{Client, ENDLESS, Running, head, hello, wait_until};

fn few() -> ServeOptions {
    ServeOptions::new().connections_max(4)
}

/// Reads the body of a request to its end, and tells of each piece.
fn with_body(read: mpsc::Sender<()>) -> Router {
    let handler = async move |mut body: Body| {
        while let Some(Ok(_)) = body.frame().await {
            read.send(()).unwrap();
        }
        "read"
    };
    hello(ENDLESS).route("/body", post(handler))
}

const HALF_BODY: &str = "POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\nhalf";

/// Whether somebody who comes now is answered; those who are told to come again, do.
fn a_newcomer_is_answered(running: &Running) {
    wait_until("an answer", || running.client().get("/").status == 200);
}

fn slow_clients_keep_nobody_out(sent: &str) {
    let (read, _pieces) = mpsc::channel();
    let running = Running::new(with_body(read), few());
    let mut slow: Vec<Client> = (0..12).map(|_| running.client_of(sent)).collect();
    a_newcomer_is_answered(&running);
    let mut first = slow.remove(0);
    wait_until("the first of them to be closed", || first.take(1 << 20).is_err());
}

#[test]
fn clients_that_ask_nothing_keep_nobody_out() {
    slow_clients_keep_nobody_out("");
}

#[test]
fn clients_that_send_half_a_head_keep_nobody_out() {
    slow_clients_keep_nobody_out("GET / HTTP/1.1\r\nhost: loc");
}

#[test]
fn clients_that_send_half_a_body_keep_nobody_out() {
    slow_clients_keep_nobody_out(HALF_BODY);
}

#[test]
fn clients_that_take_nothing_of_their_answers_keep_nobody_out() {
    slow_clients_keep_nobody_out(&head("GET", "/long"));
}

#[test]
fn clients_that_have_been_answered_and_stay_keep_nobody_out() {
    let running = Running::new(hello(0), few());
    let mut stay: Vec<Client> = (0..4).map(|_| running.client()).collect();
    for client in &mut stay {
        assert_eq!(client.get("/").status, 200);
    }
    assert_eq!(running.client().get("/").status, 200);
    assert!(stay[0].is_ended());
    assert_eq!(stay[3].get("/").status, 200);
}

#[test]
fn where_all_are_busy_one_more_is_told_to_come_again() {
    let (begun, handlers) = mpsc::channel();
    let go = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&go);
    let handler = async move || {
        begun.send(()).unwrap();
        gate.acquire().await.unwrap().forget();
        "done"
    };
    let running = Running::new(hello(0).route("/busy", get(handler)), few());
    let mut busy: Vec<Client> = (0..4).map(|_| running.client_of(&head("GET", "/busy"))).collect();
    for _ in &busy {
        handlers.recv().unwrap();
    }
    let mut newcomer = running.client();
    let refused = newcomer.get("/");
    assert_eq!((refused.status, newcomer.is_ended()), (503, true), "{refused:?}");
    assert!(refused.head.contains("\r\nretry-after: 1\r\n"), "{refused:?}");
    assert_eq!(refused.body, br#"{"detail":"There are too many connections. Try again."}"#);

    go.add_permits(4);
    for client in &mut busy {
        assert_eq!(client.answer().unwrap().body, b"done");
    }
    a_newcomer_is_answered(&running);
}

#[test]
fn what_trickles_in_does_not_renew_a_place() {
    let (read, pieces) = mpsc::channel();
    let running = Running::new(with_body(read), ServeOptions::new().connections_max(2));
    let mut trickling = running.client_of(HALF_BODY);
    pieces.recv().unwrap();
    let mut later = running.client();
    assert_eq!(later.get("/").status, 200);
    trickling.send("x");
    pieces.recv().unwrap();
    assert_eq!(running.client().get("/").status, 200);
    assert!(trickling.is_ended());
    assert_eq!(later.get("/").status, 200);
}

#[test]
fn who_takes_something_of_an_answer_stays() {
    let running = Running::new(hello(ENDLESS), ServeOptions::new().connections_max(2));
    let mut taking = running.client_of(&head("GET", "/long"));
    let mut idle = running.client();
    assert_eq!(idle.get("/").status, 200);
    for _ in 0..10 {
        // More than all buffers between us hold, so that something was sent after the other was answered.
        taking.take(32 << 20).unwrap();
        let mut newcomer = running.client();
        assert_eq!(newcomer.get("/").status, 200);
        assert!(idle.is_ended());
        idle = newcomer;
    }
}
