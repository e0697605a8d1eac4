//! The router within an application's own.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use taskstore::http::router;

use super::{Answer, Served, ask, detail, failure, options, post, request};

/// The router below this path, in an application with routes, a fallback, a state and a layer of its own.
fn nested(path: &str, served: &Served) -> Router {
    Router::new()
        .route("/", get(|State(name): State<&'static str>| async move { name }))
        .route("/task/list", get(|| async { "its own list" }))
        .fallback(|| async { (StatusCode::IM_A_TEAPOT, "its own fallback") })
        .with_state("its own state")
        .nest(path, router(served.store.clone(), options()))
}

fn row(served: &Served) -> String {
    let run = served.store.system_tasks().start("scan", None).unwrap();
    let path = format!("/api/v3/events/system_tasks/{}/", run.uuid());
    run.finish().unwrap();
    path
}

#[test]
fn below_a_path_everything_is_as_at_the_root_and_the_application_keeps_its_own() {
    let served = Served::new();
    let row = row(&served);
    for (path, prefix) in [("/history", "/history"), ("/of/{tenant}", "/of/acme"), ("/of/{uuid}/x", "/of/acme/x")] {
        let application = nested(path, &served);
        let told = |request| served.runtime.block_on(ask(&application, request));
        let get = |path: String| told(request("GET", &path).body(Body::empty()).unwrap());
        let at_root = |answer: Answer| (answer.status, answer.body);

        let list = told(post(&format!("{prefix}/task/list"), ""));
        assert_eq!(at_root(list), at_root(served.post("/task/list", "")), "{path}");
        assert_eq!(at_root(get(format!("{prefix}{row}"))), at_root(served.get(&row)), "{path}");
        assert_eq!(get(format!("{prefix}{row}")).status, 200, "{path}");
        for (below, status, body) in [
            ("/task/x", 404, failure("there is nothing at this path")),
            ("/task/list", 405, failure("method GET is not allowed")),
            ("/x", 404, detail("Not found.")),
            ("", 404, detail("Not found.")),
            (row.trim_end_matches('/'), 404, detail("Not found.")),
        ] {
            assert_eq!(get(format!("{prefix}{below}")).told(), (status, body.as_str()), "{path} {below}");
        }
        for (own, status, body) in
            [("/", 200, "its own state"), ("/task/list", 200, "its own list"), ("/else", 418, "its own fallback")]
        {
            let answer = get(own.to_owned());
            assert_eq!((answer.told(), answer.header("cache-control")), ((status, body), ""), "{path} {own}");
        }
    }
}
