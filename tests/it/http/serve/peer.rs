//! Handlers learn who asks.

use taskstore::http::{AnonymousLoopback, Options, Rights, ServeOptions, router};

use super::Running;
use crate::support::temporary;

#[test]
fn who_asks_from_this_machine_is_let_in_but_not_whom_a_proxy_asks_for() {
    let router = router(temporary(), Options::new(AnonymousLoopback::new(Rights::ALL)));
    let running = Running::new(router, ServeOptions::new());
    let mut client = running.client();
    assert_eq!(client.get("/api/v3/events/system_tasks/").status, 200);
    for forwarded in ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Real-Ip: 192.0.2.1"] {
        client
            .send(&format!("POST /task/list HTTP/1.1\r\nhost: localhost\r\n{forwarded}\r\ncontent-length: 0\r\n\r\n"));
        assert_eq!(client.answer().unwrap().status, 401, "{forwarded}");
    }
}
