//! Pages of other sites, in the browser of somebody on the same machine.

use axum::body::Body;
use taskstore::TaskStore;

use super::{Answer, ROWS, Served, detail, failure, options};
use crate::support::{finished, temporary};

const PANEL: &str = "https://panel.example.org";

fn allowing() -> Served {
    Served::with(temporary(), options().allowed_origin("HTTPS://Panel.example.org:443").unwrap())
}

/// What tells a browser that a page may read an answer, or may ask at all.
fn of_cors(answer: &Answer) -> Vec<(&str, &str)> {
    let headers = answer.headers.iter().filter(|(name, _)| name.as_str().starts_with("access-control-"));
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.sort_unstable();
    headers
}

#[test]
fn a_page_of_another_origin_is_refused_by_what_its_browser_says() {
    let served = Served::new();
    for (headers, is_answered) in [
        (&[][..], true),
        (&[("origin", "http://localhost:8080")], true),
        (&[("origin", "http://LOCALHOST:8080")], true),
        (&[("origin", "http://localhost")], false),
        (&[("origin", "http://localhost:8081")], false),
        (&[("origin", "http://127.0.0.1:8080")], false),
        (&[("origin", "http://evil.example")], false),
        (&[("origin", "http://localhost:8080.evil.example")], false),
        (&[("origin", "http://evil.example@localhost:8080")], false),
        (&[("origin", "localhost:8080")], false),
        (&[("origin", "null")], false),
        (&[("origin", "")], false),
        (&[("origin", "http://localhost:8080"), ("origin", "http://localhost:8080")], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "anything")], false),
        (&[("sec-fetch-site", "none"), ("sec-fetch-site", "cross-site")], false),
        (&[("origin", "http://localhost:8080"), ("sec-fetch-site", "same-origin")], true),
        (&[("origin", "http://localhost:8080"), ("sec-fetch-site", "cross-site")], false),
    ] {
        for (method, path, refused) in [
            ("POST", "/task/list", failure("requests of this origin are not answered")),
            ("GET", ROWS, detail("Requests of this origin are not answered.")),
        ] {
            let answer = served.send(method, path, headers);
            let expected = if is_answered { (200, answer.body.as_str()) } else { (403, refused.as_str()) };
            assert_eq!(answer.told(), expected, "{path} {headers:?}");
            assert_eq!(of_cors(&answer), [], "{path} {headers:?}");
        }
    }
}

#[test]
fn nobody_is_told_that_other_pages_may_ask_by_default() {
    let served = Served::new();
    for origin in ["http://localhost:8080", "http://evil.example"] {
        let asked = [("origin", origin), ("access-control-request-method", "POST")];
        let answer = served.send("OPTIONS", "/task/list", &asked);
        assert!(matches!(answer.status, 403 | 405) && of_cors(&answer).is_empty(), "{answer:?}");
    }
}

#[test]
fn pages_of_an_allowed_origin_may_ask_and_read_every_answer() {
    let served = allowing();
    for (method, path, status) in
        [("POST", "/task/list", 200), ("GET", ROWS, 200), ("GET", "/x", 404), ("GET", "/task/list", 405)]
    {
        let headers = [("origin", PANEL), ("sec-fetch-site", "cross-site")];
        let answer = served.send(method, path, &headers);
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(of_cors(&answer), [("access-control-allow-origin", PANEL)], "{path}");
        assert!(answer.header("vary").contains("origin"), "{path}");
    }
}

#[test]
fn the_browser_of_an_allowed_page_is_told_what_it_may_send_before_it_has_credentials() {
    let served = allowing();
    for path in ["/task/dismiss", ROWS, "/api/v3/events/system_tasks/x/run/"] {
        let asked = [
            ("origin", PANEL),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
            ("host", "localhost"),
        ];
        let answer = served.ask(super::with_headers(super::bare("OPTIONS", path), &asked));
        assert_eq!(answer.told(), (200, ""), "{path}");
        let allowed = [
            ("access-control-allow-headers", "authorization,content-type"),
            ("access-control-allow-methods", "GET,POST"),
            ("access-control-allow-origin", PANEL),
        ];
        assert_eq!(of_cors(&answer), allowed, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[test]
fn pages_of_any_other_origin_are_refused_and_told_nothing_where_one_is_allowed() {
    let served = allowing();
    for origin in [
        "http://panel.example.org",
        "https://panel.example.org:8443",
        "https://panel.example.org.evil.example",
        "https://a.panel.example.org",
        "null",
    ] {
        let preflight = [("origin", origin), ("access-control-request-method", "POST")];
        for answer in
            [served.send("POST", "/task/list", &preflight[..1]), served.send("OPTIONS", "/task/list", &preflight)]
        {
            assert_eq!(answer.told(), (403, failure("requests of this origin are not answered").as_str()), "{origin}");
            assert_eq!(of_cors(&answer), []);
        }
    }
    let to_evil = [("host", "evil.example"), ("origin", PANEL), ("access-control-request-method", "POST")];
    let answer = served.ask(super::with_headers(super::bare("OPTIONS", "/task/list"), &to_evil));
    assert_eq!((answer.status, of_cors(&answer)), (421, vec![]));
}

#[test]
fn what_is_no_origin_cannot_be_allowed() {
    for origin in
        ["", "null", "*", "panel.example.org", "ftp://a", "https://", "https://a/", "https://a/b", "https://u@a"]
    {
        let Err(error) = options().allowed_origin(origin) else { panic!("{origin:?} is no origin") };
        assert_eq!(error.to_string(), "allowed_origin must be an origin, such as https://panel.example.org");
    }
}

/// A task that a page should like to dismiss.
fn prey(store: &TaskStore) -> impl Fn() -> bool {
    let (store, id) = (store.clone(), finished(store, "prey"));
    move || store.task(id).unwrap().dismissed_by.is_some()
}

#[test]
fn a_page_that_has_its_own_name_point_to_this_machine_gets_nothing() {
    let served = Served::new();
    let is_dismissed = prey(&served.store);
    let rebound =
        [("host", "evil.example:8080"), ("origin", "http://evil.example:8080"), ("sec-fetch-site", "same-origin")];
    for path in ["/task/dismiss_all", "/task/list"] {
        let request = super::bare("POST", path).header("x-user", "ann");
        let answer = served.ask(super::with_headers(request, &rebound));
        assert_eq!(answer.told(), (421, failure("requests to this host are not answered").as_str()));
    }
    assert!(!is_dismissed());
}

#[test]
fn a_page_that_posts_without_asking_and_without_a_body_changes_nothing() {
    let served = Served::new();
    let is_dismissed = prey(&served.store);
    for headers in
        [&[("origin", "http://evil.example")][..], &[("origin", "null")], &[("sec-fetch-site", "cross-site")]]
    {
        assert_eq!(served.send("POST", "/task/dismiss_all", headers).status, 403);
    }
    // Forms of browsers that say nothing of where they come from always have a type.
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"] {
        let form = super::request("POST", "/task/dismiss_all").header("content-type", kind);
        assert_eq!(served.ask(form.body(Body::from("{}")).unwrap()).status, 400);
        assert_eq!(served.send("POST", "/task/dismiss_all", &[("content-type", kind)]).status, 400);
    }
    assert!(!is_dismissed());
    assert_eq!(served.send("POST", "/task/dismiss_all", &[]).status, 200);
    assert!(is_dismissed());
}
