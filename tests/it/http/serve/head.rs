//! Heads of requests: their limits, and what is said where they are passed.

use axum::routing::post;
use taskstore::http::ServeOptions;

use super::{Running, SHORT, head, hello, wait_until};

#[test]
fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let running = Running::new(hello(0), ServeOptions::new().head_time_max(SHORT));
    assert!(running.client_of("GET / HTTP/1.1\r\nhost: loc").is_ended());
    assert!(running.client().is_ended());
    // Also behind an answer, if the machine is quick enough for one.
    wait_until("an answer in time", || {
        let mut answered = running.client_of(&head("GET", "/"));
        answered.answer().is_ok_and(|answer| answer.body == b"hello") && answered.is_ended()
    });
}

#[test]
fn the_longest_time_is_no_time_too_long() {
    let running = Running::new(hello(0), ServeOptions::new().head_time_max(std::time::Duration::MAX));
    assert_eq!(running.client().get("/").body, b"hello");
}

#[test]
fn a_head_of_more_than_64_kib_is_431_also_for_a_client_that_sends_on() {
    let running = Running::new(hello(0), ServeOptions::new());
    for (bytes, status) in [(60 << 10, 200), (64 << 10, 431), (4 << 20, 431)] {
        let mut client = running.client();
        client.send(&format!("GET / HTTP/1.1\r\nhost: localhost\r\nx-long: {}\r\n\r\n", "x".repeat(bytes)));
        assert_eq!(client.answer().unwrap().status, status, "{bytes}");
    }
}

#[test]
fn a_head_of_more_than_100_headers_is_431() {
    let running = Running::new(hello(0), ServeOptions::new());
    for (others, status) in [(99, 200), (100, 431)] {
        let headers = "x-one: 1\r\n".repeat(others);
        let mut client = running.client_of(&format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n"));
        assert_eq!(client.answer().unwrap().status, status, "{others}");
    }
}

#[test]
fn an_answer_reaches_a_client_that_still_sends_what_nobody_reads() {
    let running = Running::new(hello(0).route("/refused", post(async || "no")), ServeOptions::new());
    let mut client = running.client();
    let bytes = 4 << 20;
    client.send(&format!("POST /refused HTTP/1.1\r\nhost: localhost\r\ncontent-length: {bytes}\r\n\r\n"));
    client.send(&"x".repeat(bytes));
    assert_eq!(client.answer().unwrap().body, b"no");
    assert!(client.is_ended());
}

#[test]
fn requests_of_one_connection_are_answered_in_turn_also_when_they_come_at_once() {
    let running = Running::new(hello(0), ServeOptions::new());
    let mut client = running.client_of(&[head("GET", "/"), head("HEAD", "/"), head("GET", "/none")].concat());
    assert_eq!(client.answer().unwrap().body, b"hello");
    assert!(client.head().unwrap().1.contains("content-length: 5\r\n"));
    assert_eq!(client.answer().unwrap().status, 404);
}
