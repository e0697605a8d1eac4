//! The bodies of requests: JSON, short, and in time.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use http_body::Frame;

use super::{Served, failure, options, post, request, with_headers};
use crate::support::temporary;

const NOT_JSON: &str = "the body must be application/json";
const TOO_LONG: &str = "the body is too long; the limit is 65536 bytes";
const INCOMPLETE: &str = "the body did not arrive whole and in time";

/// A body of unknown length: so many pieces of a KiB, and then nothing more, without an end.
struct Endless {
    pieces: usize,
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.checked_sub(1) {
            Some(left) => {
                self.pieces = left;
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 1 << 10])))))
            }
            None => Poll::Pending,
        }
    }
}

/// A body that breaks off.
struct Broken;

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
    }
}

/// A POST to the list with this body, whose type is declared.
fn of(body: Body) -> Request<Body> {
    request("POST", "/task/list").header("content-type", "application/json").body(body).unwrap()
}

#[test]
fn a_body_is_json_by_its_declared_type_or_is_not_read() {
    let served = Served::new();
    for (types, is_taken) in [
        (&["application/json"][..], true),
        (&["application/json; charset=utf-8"], true),
        (&["Application/JSON;Charset=\"UTF-8\""], true),
        (&["application/json;"], true),
        (&["application/json; charset=latin1"], false),
        (&["application/jsonp"], false),
        (&["application/problem+json"], false),
        (&["text/plain"], false),
        (&["text/plain; application/json"], false),
        (&["application/x-www-form-urlencoded"], false),
        (&["multipart/form-data; boundary=application/json"], false),
        (&[""], false),
        (&["application/json, text/plain"], false),
        (&["application/json", "application/json"], false),
        (&[], false),
    ] {
        let with_types =
            types.iter().fold(request("POST", "/task/list"), |request, name| request.header("content-type", *name));
        let answer = served.ask(with_types.body("{}".into()).unwrap());
        if is_taken {
            assert_eq!(answer.status, 200, "{types:?}");
        } else {
            assert_eq!(answer.told(), (400, failure(NOT_JSON).as_str()), "{types:?}");
        }
    }
}

#[test]
fn no_body_needs_no_type_but_a_type_of_something_else_is_refused_without_one_too() {
    let served = Served::new();
    assert_eq!(served.send("POST", "/task/list", &[]).status, 200);
    assert_eq!(served.send("POST", "/task/list", &[("content-length", "0")]).status, 200);
    let form = served.send("POST", "/task/list", &[("content-type", "application/x-www-form-urlencoded")]);
    assert_eq!(form.told(), (400, failure(NOT_JSON).as_str()));
}

#[test]
fn a_body_of_the_limit_is_taken_and_one_of_a_byte_more_is_not_however_its_length_is_told() {
    let served = Served::new();
    let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
    assert_eq!(served.ask(post("/task/list", &padded(64 << 10))).status, 200);
    let mut told = post("/task/list", &padded(64 << 10));
    told.headers_mut().insert("content-length", (64 << 10).into());
    assert_eq!(served.ask(told).status, 200);
    let declared = [("content-type", "application/json"), ("content-length", "65537")];
    for (how, request) in [
        ("sent", post("/task/list", &padded((64 << 10) + 1))),
        ("declared only", with_headers(request("POST", "/task/list"), &declared)),
        ("undeclared", of(Body::new(Endless { pieces: 65 }))),
    ] {
        assert_eq!(served.ask(request).told(), (400, failure(TOO_LONG).as_str()), "{how}");
    }
    let beyond_numbers = [("content-type", "application/json"), ("content-length", "18446744073709551615")];
    let answer = served.ask(with_headers(request("POST", "/task/list"), &beyond_numbers));
    assert_eq!(answer.told(), (400, failure(TOO_LONG).as_str()));
}

#[test]
fn the_limit_of_a_body_is_an_option() {
    let served = Served::with(temporary(), options().body_bytes_max(2));
    assert_eq!(served.post("/task/list", "{}").status, 200);
    let refused = failure("the body is too long; the limit is 2 bytes");
    assert_eq!(served.post("/task/list", "{} ").told(), (400, refused.as_str()));
}

#[test]
fn a_body_that_does_not_end_in_time_or_breaks_off_is_refused() {
    let served = Served::with(temporary(), options().body_time_max(Duration::from_millis(10)));
    for body in [Body::new(Endless { pieces: 0 }), Body::new(Endless { pieces: 3 }), Body::new(Broken)] {
        assert_eq!(served.ask(of(body)).told(), (400, failure(INCOMPLETE).as_str()));
    }
}

#[test]
fn who_may_not_ask_has_no_body_read() {
    // It would never end.
    let served = Served::with(temporary(), options().body_time_max(Duration::MAX));
    let endless = || Body::new(Endless { pieces: 0 });
    let host = super::bare("POST", "/task/list").header("host", "localhost");
    assert_eq!(served.ask(host.body(endless()).unwrap()).status, 401);
    let powerless = request("POST", "/task/list").header("x-rights", "run");
    assert_eq!(served.ask(powerless.body(endless()).unwrap()).status, 403);
}
