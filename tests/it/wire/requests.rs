//! The bodies of requests.

use taskstore::wire::task_api::{DismissAllRequest, ListRequest, Refusal, TaskRequest};
use taskstore::{ConfigurationId, Error};

use super::{ids, list, store};
use crate::support::{configuration_id, finished, start};

fn asked(configuration: Option<i64>, show_hidden: bool) -> ListRequest {
    ListRequest { configuration: configuration.map(configuration_id), show_hidden }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(request: Result<T, Refusal>, body: &str) -> String {
    let refusal = request.expect_err(body);
    assert_eq!(refusal.status(), 400, "{refusal}");
    refusal.message().to_owned()
}

#[test]
fn an_absent_body_and_empty_params_mean_the_defaults() {
    for body in ["", " ", "\r\n\t", "{}", " {} ", r#"{"params":{}}"#, r#"{"params":null}"#, "{ \"params\" : { } }\n"] {
        assert_eq!(ListRequest::parse(body.as_bytes()).unwrap(), asked(None, false), "{body:?}");
        assert_eq!(DismissAllRequest::parse(body.as_bytes()).unwrap().configuration, None, "{body:?}");
    }
    assert_eq!(ListRequest::default(), asked(None, false));
}

#[test]
fn the_sample_of_the_published_page_is_read() {
    let body = r#"{ "params": { "configuration_id": 1, "show_hidden": false } }"#;
    assert_eq!(ListRequest::parse(body.as_bytes()).unwrap(), asked(Some(1), false));
}

#[test]
fn unknown_members_are_ignored_wherever_they_stand() {
    for body in [
        r#"{"id":7,"params":{"show_hidden":true},"jsonrpc":"2.0","deep":{"a":[1,{"b":null}]}}"#,
        r#"{"params":{"limit":[1,2],"show_hidden":true,"Show_Hidden":false,"task_id":"x"}}"#,
    ] {
        assert_eq!(ListRequest::parse(body.as_bytes()).unwrap(), asked(None, true), "{body}");
    }
    let of_task = r#"{"params":{"task_id":1,"configuration_id":-1,"show_hidden":"x"}}"#;
    assert_eq!(TaskRequest::parse(of_task.as_bytes()).unwrap().task().unwrap().get(), 1);
}

#[test]
fn show_dismissed_is_taken_for_show_hidden() {
    for (params, shown) in [
        (r#""show_hidden":true"#, true),
        (r#""show_hidden":false"#, false),
        (r#""show_hidden":null"#, false),
        (r#""show_dismissed":true"#, true),
        (r#""show_dismissed":false"#, false),
        (r#""show_dismissed":null"#, false),
        (r#""show_hidden":false,"show_dismissed":true"#, true),
        (r#""show_hidden":true,"show_dismissed":null"#, true),
    ] {
        let body = format!(r#"{{"params":{{{params}}}}}"#);
        assert_eq!(ListRequest::parse(body.as_bytes()).unwrap(), asked(None, shown), "{body}");
    }
}

#[test]
fn a_configuration_id_that_is_absent_null_or_0_means_all() {
    for (id, expected) in [("null", None), ("0", None), ("1", Some(1)), ("9223372036854775807", Some(i64::MAX))] {
        let body = format!(r#"{{"params":{{"configuration_id":{id}}}}}"#);
        assert_eq!(ListRequest::parse(body.as_bytes()).unwrap(), asked(expected, false));
        let of_all = DismissAllRequest::parse(body.as_bytes()).unwrap();
        assert_eq!(of_all.configuration.map(ConfigurationId::get), expected);
    }
}

#[test]
fn a_configuration_id_that_is_negative_or_no_64_bit_integer_is_refused() {
    let no_integer = "params.configuration_id must be a 64-bit integer";
    for (id, reason) in [
        ("-1", "params.configuration_id is -1; it must not be negative"),
        ("-9223372036854775808", "params.configuration_id is -9223372036854775808; it must not be negative"),
        ("9223372036854775808", no_integer),
        ("-9223372036854775809", no_integer),
        ("1e99", no_integer),
        ("1.0", no_integer),
        ("1.5", no_integer),
        ("\"1\"", no_integer),
        ("true", no_integer),
        ("[1]", no_integer),
        ("{}", no_integer),
    ] {
        let body = format!(r#"{{"params":{{"configuration_id":{id}}}}}"#);
        assert_eq!(refused(ListRequest::parse(body.as_bytes()), &body), reason);
        assert_eq!(refused(DismissAllRequest::parse(body.as_bytes()), &body), reason);
    }
}

#[test]
fn a_configuration_id_that_names_none_gives_an_empty_list() {
    let (store, _) = store();
    let prod = store.configurations().add("prod").unwrap();
    store.start_detached(taskstore::NewTask::new("t").configuration(prod)).unwrap();
    let of = |id: i64| list(&store, &format!(r#"{{"params":{{"configuration_id":{id}}}}}"#));
    assert_eq!(ids(&of(1)), [1]);
    assert_eq!(of(2), r#"{"result":{"tasks":[]},"successful":true}"#);
    assert_eq!(of(i64::MAX), r#"{"result":{"tasks":[]},"successful":true}"#);
    // Once it is deleted, its old id finds none of its tasks, which have 0 from then on.
    store.configurations().delete(prod).unwrap();
    assert_eq!(of(1), r#"{"result":{"tasks":[]},"successful":true}"#);
    assert_eq!(ids(&of(0)), [1]);
    assert!(of(0).contains(r#"{"configuration_id":0,"configuration_name":"prod","#));
}

#[test]
fn show_hidden_shows_dismissed_tasks_also_and_otherwise_only_the_others() {
    let (store, _) = store();
    finished(&store, "1");
    start(&store, "2");
    finished(&store, "3");
    store.dismiss(crate::support::task_id(1), "ann").unwrap();
    assert_eq!(ids(&list(&store, r#"{"params":{"show_hidden":true}}"#)), [3, 2, 1]);
    for body in ["", r#"{"params":{"show_hidden":false}}"#] {
        assert_eq!(ids(&list(&store, body)), [3, 2]);
    }
}

#[test]
fn a_wrong_type_or_shape_is_refused() {
    for (body, reason) in [
        ("[]", "the body must be a JSON object"),
        ("[{\"params\":{}}]", "the body must be a JSON object"),
        ("null", "the body must be a JSON object"),
        ("\"params\"", "the body must be a JSON object"),
        ("1", "the body must be a JSON object"),
        (r#"{"params":[]}"#, "params must be a JSON object"),
        (r#"{"params":[1,true,true]}"#, "params must be a JSON object"),
        (r#"{"params":1}"#, "params must be a JSON object"),
        (r#"{"params":"{}"}"#, "params must be a JSON object"),
        (r#"{"params":false}"#, "params must be a JSON object"),
    ] {
        assert_eq!(refused(ListRequest::parse(body.as_bytes()), body), reason);
        assert_eq!(refused(DismissAllRequest::parse(body.as_bytes()), body), reason);
        assert_eq!(refused(TaskRequest::parse(body.as_bytes()), body), reason);
    }
    for member in ["show_hidden", "show_dismissed"] {
        for value in ["0", "1", "\"true\"", "[]", "{}"] {
            let body = format!(r#"{{"params":{{"{member}":{value}}}}}"#);
            let text = refused(ListRequest::parse(body.as_bytes()), &body);
            assert_eq!(text, format!("params.{member} must be true or false"), "{body}");
        }
    }
}

#[test]
fn malformed_json_is_refused() {
    let deep = format!("{{\"params\":{}", "{\"a\":".repeat(100_000));
    let bodies: [&[u8]; 16] = [
        b"params",
        "\u{feff}{}".as_bytes(),
        b"{",
        b"{}}",
        b"{} {}",
        b"{\"params\":{}",
        b"{\"params\":{},}",
        b"{'params':{}}",
        b"{params:{}}",
        b"{\"params\":{\"show_hidden\":tru}}",
        b"{\"params\":{\"configuration_id\":01}}",
        b"{\"params\":{\"configuration_id\":NaN}}",
        b"{\"params\":{\"a\":\"\xff\"}}",
        b"{\"params\":{\"a\":\"\n\"}}",
        b"{\"params\":{\"a\":\"\\ud800\"}}",
        deep.as_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let text = refused(ListRequest::parse(body), &shown);
        assert!(text.starts_with("the body is not JSON: "), "{shown}: {text}");
        refused(TaskRequest::parse(body), &shown);
        refused(DismissAllRequest::parse(body), &shown);
    }
}

#[test]
fn a_missing_task_id_is_refused_with_a_message_that_names_it() {
    for body in ["", "{}", r#"{"params":{}}"#, r#"{"params":null}"#, r#"{"params":{"task_id":null}}"#] {
        assert_eq!(refused(TaskRequest::parse(body.as_bytes()), body), "params.task_id is missing");
    }
}

#[test]
fn an_unknown_task_id_is_not_found_by_a_message_that_names_it() {
    let (store, _) = store();
    for id in [0, -1, i64::MIN, 1, 9_007_199_254_740_993, i64::MAX] {
        let body = format!(r#"{{"params":{{"task_id":{id}}}}}"#);
        let answer = TaskRequest::parse(body.as_bytes()).unwrap().task().and_then(|id| store.task(id));
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::NotFound { what: "task", id: named } if named == id), "{error:?}");
        let told = Refusal::of(&error);
        assert_eq!((told.status(), told.message()), (400, format!("task {id} does not exist").as_str()));
    }
}

#[test]
fn a_task_id_that_is_no_64_bit_integer_is_refused() {
    for id in ["9223372036854775808", "-9223372036854775809", "1.0", "1e3", "\"1\"", "true", "[]", "{}"] {
        let body = format!(r#"{{"params":{{"task_id":{id}}}}}"#);
        let text = refused(TaskRequest::parse(body.as_bytes()), &body);
        assert_eq!(text, "params.task_id must be a 64-bit integer", "{body}");
    }
}

#[test]
fn of_a_repeated_member_the_last_wins_wherever_it_stands() {
    let body = br#"{"params":{"configuration_id":1},"params":{"configuration_id":2,"configuration_id":3}}"#;
    assert_eq!(ListRequest::parse(body).unwrap(), asked(Some(3), false));
}
