//! Access without credentials, from the same machine only.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use taskstore::http::{AnonymousLoopback, Options, Rights, User};

use super::{Served, bare, with_headers};
use crate::support::{finished, temporary};

/// What a peer gets who sends these headers.
fn told(served: &Served, peer: Option<&str>, headers: &[(&str, &str)]) -> super::Answer {
    let mut request = with_headers(bare("POST", "/task/dismiss_all").header("host", "localhost"), headers);
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    }
    served.ask(request)
}

#[test]
fn who_asks_from_this_machine_is_let_in_and_nobody_else() {
    let served = Served::with(temporary(), Options::new(AnonymousLoopback::new(Rights::ALL)));
    for (peer, status) in [
        (Some("127.0.0.1:50000"), 200),
        (Some("127.8.9.10:50000"), 200),
        (Some("[::1]:50000"), 200),
        (Some("[::ffff:127.0.0.1]:50000"), 200),
        (Some("192.168.1.2:50000"), 401),
        (Some("0.0.0.0:50000"), 401),
        (Some("[::ffff:192.168.1.2]:50000"), 401),
        (Some("[::127.0.0.1]:50000"), 401),
        (Some("[fe80::1]:50000"), 401),
        (None, 401),
    ] {
        assert_eq!(told(&served, peer, &[]).status, status, "{peer:?}");
    }
}

#[test]
fn whom_a_proxy_on_this_machine_asks_for_is_not_let_in() {
    let served = Served::with(temporary(), Options::new(AnonymousLoopback::new(Rights::ALL)));
    for header in
        ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded", "X-Real-IP", "Via"]
    {
        assert_eq!(told(&served, Some("127.0.0.1:1"), &[(header, "127.0.0.1")]).status, 401, "{header}");
    }
    assert_eq!(told(&served, Some("127.0.0.1:1"), &[("x-other", "127.0.0.1")]).status, 200);
}

#[test]
fn whoever_is_let_in_is_anonymous_and_has_the_rights_that_were_given() {
    let served = Served::with(temporary(), Options::new(AnonymousLoopback::new(Rights::VIEW | Rights::DISMISS)));
    let id = finished(&served.store, "t");
    let answer = told(&served, Some("127.0.0.1:1"), &[]);
    assert_eq!(answer.extensions.get::<User>(), Some(&User::new("anonymous", Rights::VIEW | Rights::DISMISS)));
    assert_eq!(served.store.task(id).unwrap().dismissed_by.as_deref(), Some("anonymous"));
    let viewer = Served::with(temporary(), Options::new(AnonymousLoopback::new(Rights::VIEW)));
    assert_eq!(told(&viewer, Some("127.0.0.1:1"), &[]).status, 403);
}
