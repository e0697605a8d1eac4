//! Answers of which nothing is taken.

use std::io::{ErrorKind, Read};
use std::sync::mpsc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::routing::get;
use taskstore::http::ServeOptions;

use super::{ENDLESS, PATIENCE, Pieces, Running, SHORT, head, hello};

/// An endless answer, and one of a length that is in our buffers as a whole; both tell when nobody needs them any more.
fn told() -> (Router, mpsc::Receiver<()>) {
    struct Whole(Vec<u8>, mpsc::Sender<()>);
    impl AsRef<[u8]> for Whole {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    impl Drop for Whole {
        fn drop(&mut self) {
            let _ = self.1.send(());
        }
    }
    let (gone, told) = mpsc::channel();
    let gone_whole = gone.clone();
    let endless = async move || Body::new(Pieces { left: ENDLESS, gone: Some(gone.clone()) });
    let whole = async move || Bytes::from_owner(Whole(vec![b'x'; 64 << 20], gone_whole.clone()));
    (Router::new().route("/endless", get(endless)).route("/whole", get(whole)), told)
}

#[test]
fn a_client_that_takes_nothing_is_cut_off_and_cannot_take_it_for_whole() {
    let (router, told) = told();
    let running = Running::new(router, ServeOptions::new().send_time_max(SHORT));
    let mut endless = running.client_of(&head("GET", "/endless"));
    told.recv_timeout(PATIENCE).unwrap();
    // What is in the buffers of the system is lost or not; the end does not come.
    assert!(endless.head().and_then(|_| endless.chunks()).is_err());

    let mut whole = running.client_of(&head("GET", "/whole"));
    told.recv_timeout(PATIENCE).unwrap();
    assert!(whole.answer().is_err());
}

#[test]
fn where_the_end_of_the_connection_is_the_end_of_the_answer_it_is_reset() {
    let (router, told) = told();
    let running = Running::new(router, ServeOptions::new().send_time_max(SHORT));
    let mut client = running.client_of("GET /endless HTTP/1.0\r\nhost: localhost\r\n\r\n");
    told.recv_timeout(PATIENCE).unwrap();
    let error = client.stream.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_slow_client_that_goes_on_gets_all() {
    let running = Running::new(hello(512), ServeOptions::new().send_time_max(PATIENCE));
    let mut client = running.client_of(&head("GET", "/long"));
    client.head().unwrap();
    assert_eq!(client.chunks().unwrap(), 512 * (64 << 10));
    assert_eq!(client.get("/").body, b"hello");
}

/// Such a body is asked for no more once its length is reached, so it never says that it has ended.
#[test]
fn an_answer_of_a_told_length_is_whole_also_where_its_body_does_not_know_its_end() {
    let (gone, told) = mpsc::channel();
    let file = async move || {
        let body = Body::new(Pieces { left: 16, gone: Some(gone.clone()) });
        ([(CONTENT_LENGTH, "1048576"), (CONNECTION, "close")], body)
    };
    let running = Running::new(Router::new().route("/file", get(file)), ServeOptions::new());
    for _ in 0..10 {
        let mut client = running.client_of(&head("GET", "/file"));
        told.recv_timeout(PATIENCE).unwrap();
        assert_eq!(client.answer().unwrap().body.len(), 16 * (64 << 10));
        assert!(client.is_ended());
    }
}
