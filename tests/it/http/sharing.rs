//! Many who ask the same at the same time.

use axum::body::Body;
use axum::http::Method;
use tokio::task::JoinSet;

use super::streams::{drained, filled, list};
use super::{ROWS, Served, ask, begun, options, post, request};
use crate::support::{finished, start, temporary};

/// One call has the only slot while the others come, so that they find each other waiting.
#[test]
fn all_who_ask_the_same_at_once_are_answered_and_each_question_by_its_own_answer() {
    let served = Served::with(temporary(), options().calls_max(1));
    let ids = ["one", "two"].map(|title| finished(&served.store, title));
    let run = served.store.system_tasks().start("scan", None).unwrap();
    let row = format!("{ROWS}{}/", run.uuid());
    run.finish().unwrap();
    served.runtime.block_on(async {
        let mut asking = JoinSet::new();
        for _ in 0..50 {
            for (path, body, expected) in [
                ("/task/list", "", r#""title":"one""#),
                ("/task/list", r#"{"params":{"configuration_id":7}}"#, r#"{"tasks":[]}"#),
                ("/task/show", r#"{"params":{"task_id":1}}"#, r#""title":"one""#),
                ("/task/show", r#"{"params":{"task_id":2}}"#, r#""title":"two""#),
                ("/task/show", r#"{"params":{"task_id":3}}"#, "task 3 does not exist"),
            ] {
                let (router, request) = (served.router.clone(), post(path, body));
                asking.spawn(async move { (ask(&router, request).await.body, expected) });
            }
            for (path, expected) in
                [(ROWS, r#""count":1,"#), (&row, r#"{"uuid":""#), (&format!("{ROWS}?status=error"), r#""count":0,"#)]
            {
                let (router, path) = (served.router.clone(), path.to_owned());
                asking.spawn(async move {
                    (ask(&router, request(Method::GET, &path).body(Body::empty()).unwrap()).await.body, expected)
                });
            }
        }
        let answers = asking.join_all().await;
        assert_eq!(answers.len(), 400);
        for (body, expected) in answers {
            assert!(body.contains(expected), "no {expected} in {body}");
        }
    });
    assert_eq!(ids.map(|id| id.get()), [1, 2]);
}

#[test]
fn who_asks_while_others_are_being_answered_sees_what_was_written_since() {
    let served = Served::with(filled(temporary(), 50), options());
    served.runtime.block_on(async {
        let early = begun(&served.router, list()).await;
        start(&served.store, "since");
        let late = ask(&served.router, list()).await;
        assert!(late.body.contains(r#""title":"since""#));
        let (bytes, end) = drained(early).await;
        assert!(end.is_ok() && bytes < late.body.len(), "{bytes} bytes");
    });
}

#[test]
fn an_answer_that_is_too_long_to_be_shared_is_sent_to_each_by_itself() {
    let served = Served::with(filled(temporary(), 5), options().calls_max(1));
    served.runtime.block_on(async {
        let mut asking = JoinSet::new();
        for _ in 0..8 {
            let router = served.router.clone();
            asking.spawn(async move { ask(&router, list()).await });
        }
        for answer in asking.join_all().await {
            assert!(answer.status == 200 && answer.body.len() > 5 * 100_000 && answer.body.ends_with("true}"));
        }
    });
}
