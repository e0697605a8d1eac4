//! What panics.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::routing::get;
use http_body::Frame;
use taskstore::http::ServeOptions;

use super::{Running, head, hello};

struct Panicking;

impl HttpBody for Panicking {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        panic!("a body panics");
    }
}

#[test]
fn a_handler_that_panics_is_500_and_the_connection_goes_on() {
    let panicking = async || -> &'static str { panic!("a handler panics") };
    let running = Running::new(hello(0).route("/panic", get(panicking)), ServeOptions::new());
    let mut client = running.client();
    let answer = client.get("/panic");
    assert_eq!((answer.status, answer.body.as_slice()), (500, &br#"{"detail":"Internal error."}"#[..]));
    assert_eq!(client.get("/").body, b"hello");
}

#[test]
fn a_body_that_panics_ends_its_connection_alone() {
    let options = ServeOptions::new().connections_max(2);
    let running = Running::new(hello(0).route("/panic", get(async || Body::new(Panicking))), options);
    let mut other = running.client();
    assert_eq!(other.get("/").body, b"hello");
    for _ in 0..4 {
        assert!(running.client_of(&head("GET", "/panic")).is_ended());
    }
    assert_eq!(other.get("/").body, b"hello");
}
