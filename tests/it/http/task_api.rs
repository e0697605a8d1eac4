//! The task API over HTTP.

use taskstore::wire::task_api::{DismissedMember, ListRequest, write_list, write_task};
use taskstore::{NewTask, TaskStore};

use super::{Served, failure, options};
use crate::support::{finished, start, task_id, temporary};

const NONE: &str = r#"{"result":{"tasks":[]},"successful":true}"#;

fn list(store: &TaskStore, request: ListRequest, member: DismissedMember) -> String {
    let mut answer = Vec::new();
    write_list(store, request, member, &mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

fn task(store: &TaskStore, id: i64) -> String {
    let mut answer = Vec::new();
    write_task(store, task_id(id), DismissedMember::HiddenBy, &mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_list_is_answered_with_its_length() {
    let answer = Served::new().post("/task/list", "");
    assert_eq!(answer.told(), (200, NONE));
    assert_eq!((answer.header("content-type"), answer.header("content-length")), ("application/json", "41"));
}

#[test]
fn a_list_shows_what_the_parameters_ask_for_as_the_store_writes_it() {
    let served = Served::new();
    let prod = served.store.configurations().add("prod").unwrap();
    served.store.start_detached(NewTask::new("Copy").configuration(prod)).unwrap();
    finished(&served.store, "gone");
    served.store.dismiss(task_id(2), "bob").unwrap();
    let all = ListRequest::default();
    let hidden = ListRequest { show_hidden: true, ..all };
    let of_prod = ListRequest { configuration: Some(prod), ..all };
    for (body, request) in [
        ("", all),
        (" \n", all),
        ("{}", all),
        (r#"{"params":{}}"#, all),
        (r#"{"params":null,"other":1}"#, all),
        (r#"{"params":{"configuration_id":null,"show_hidden":null,"other":[]}}"#, all),
        (r#"{"params":{"configuration_id":0,"show_hidden":false}}"#, all),
        (r#"{"params":{"show_hidden":true}}"#, hidden),
        (r#"{"params":{"show_dismissed":true}}"#, hidden),
        (r#"{"params":{"configuration_id":1}}"#, of_prod),
    ] {
        let expected = list(&served.store, request, DismissedMember::HiddenBy);
        assert_eq!(served.post("/task/list", body).told(), (200, expected.as_str()), "{body}");
    }
    assert_eq!(served.post("/task/list", r#"{"params":{"configuration_id":9}}"#).told(), (200, NONE));
}

#[test]
fn a_body_of_another_form_is_refused_and_told_what_is_wrong() {
    let served = Served::new();
    for (path, body, message) in [
        ("list", "[]", "the body must be a JSON object"),
        ("list", r#"{"params":[]}"#, "params must be a JSON object"),
        ("list", r#"{"params":{"show_hidden":1}}"#, "params.show_hidden must be true or false"),
        ("list", r#"{"params":{"configuration_id":"1"}}"#, "params.configuration_id must be a 64-bit integer"),
        ("list", r#"{"params":{"configuration_id":1.5}}"#, "params.configuration_id must be a 64-bit integer"),
        (
            "list",
            r#"{"params":{"configuration_id":9223372036854775808}}"#,
            "params.configuration_id must be a 64-bit integer",
        ),
        ("list", r#"{"params":{"configuration_id":-1}}"#, "params.configuration_id is -1; it must not be negative"),
        (
            "dismiss_all",
            r#"{"params":{"configuration_id":-1}}"#,
            "params.configuration_id is -1; it must not be negative",
        ),
        ("show", "", "params.task_id is missing"),
        ("show", r#"{"task_id":1}"#, "params.task_id is missing"),
        ("dismiss", r#"{"params":{"task_id":null}}"#, "params.task_id is missing"),
        ("restore", r#"{"params":{"task_id":"1"}}"#, "params.task_id must be a 64-bit integer"),
        ("list", "{", "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        ("list", "{} {}", "the body is not JSON: trailing characters at line 1 column 4"),
    ] {
        let answer = served.post(&format!("/task/{path}"), body);
        assert_eq!(answer.told(), (400, failure(message).as_str()), "{path} {body}");
    }
}

#[test]
fn a_body_nested_deeply_is_refused() {
    let nested = format!(r#"{{"params":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let answer = Served::new().post("/task/list", &nested);
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("recursion limit exceeded"), "{answer:?}");
}

#[test]
fn a_task_is_shown_as_the_store_writes_it_and_an_unknown_one_is_a_bad_request() {
    let served = Served::new();
    start(&served.store, "Copy");
    let shown = task(&served.store, 1);
    assert_eq!(served.post("/task/show", r#"{"params":{"task_id":1}}"#).told(), (200, shown.as_str()));
    for path in ["show", "dismiss", "restore"] {
        for id in [2, 0, -1, i64::MAX, i64::MIN] {
            let answer = served.post(&format!("/task/{path}"), &format!(r#"{{"params":{{"task_id":{id}}}}}"#));
            assert_eq!(answer.told(), (400, failure(&format!("task {id} does not exist")).as_str()), "{path}");
        }
    }
}

#[test]
fn who_dismisses_a_task_is_the_user_who_asks_and_restoring_shows_it_again() {
    let served = Served::new();
    finished(&served.store, "Copy");
    let asked = r#"{"params":{"task_id":1}}"#;
    let dismissed = served.post("/task/dismiss", asked);
    assert_eq!(dismissed.told(), (200, task(&served.store, 1).as_str()));
    assert_eq!(served.store.task(task_id(1)).unwrap().dismissed_by.as_deref(), Some("ann"));
    assert!(dismissed.body.contains(r#""hidden_by":"ann""#) && dismissed.body.contains(r#""state":"Dismissed""#));
    assert_eq!(served.post("/task/list", "").told(), (200, NONE));

    let restored = served.post("/task/restore", asked);
    assert_eq!(restored.told(), (200, task(&served.store, 1).as_str()));
    assert!(restored.body.contains(r#""hidden_by":"""#) && restored.body.contains(r#""state":"End""#));
}

#[test]
fn a_task_in_another_state_is_a_bad_request_in_the_words_of_the_store() {
    let served = Served::new();
    start(&served.store, "Copy");
    let asked = r#"{"params":{"task_id":1}}"#;
    let refused = [
        ("/task/dismiss", served.store.dismiss(task_id(1), "ann").unwrap_err()),
        ("/task/restore", served.store.restore(task_id(1)).unwrap_err()),
    ];
    for (path, error) in refused {
        assert_eq!(served.post(path, asked).told(), (400, failure(&error.to_string()).as_str()));
    }
}

#[test]
fn all_that_have_ended_are_dismissed_of_one_configuration_or_of_all() {
    let served = Served::new();
    let prod = served.store.configurations().add("prod").unwrap();
    let of_prod = served.store.start_detached(NewTask::new("t").configuration(prod)).unwrap();
    served.store.finish(of_prod).unwrap();
    start(&served.store, "runs on");
    finished(&served.store, "t");
    finished(&served.store, "t");
    for (body, dismissed) in [(r#"{"params":{"configuration_id":1}}"#, 1), ("", 2), ("{}", 0)] {
        let expected = format!(r#"{{"result":{{"dismissed":{dismissed}}},"successful":true}}"#);
        assert_eq!(served.post("/task/dismiss_all", body).told(), (200, expected.as_str()));
    }
    assert_eq!(served.store.task(of_prod).unwrap().dismissed_by.as_deref(), Some("ann"));
}

#[test]
fn the_member_that_names_who_dismissed_is_called_as_the_option_says_everywhere() {
    let member = DismissedMember::DismissedBy;
    let served = Served::with(temporary(), options().dismissed_member(member));
    finished(&served.store, "Copy");
    for path in ["dismiss", "show", "list", "restore"] {
        let answer = served.post(&format!("/task/{path}"), r#"{"params":{"task_id":1,"show_hidden":true}}"#);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert!(
            answer.body.contains(r#""dismissed_by":""#) && !answer.body.contains("hidden_by"),
            "{path}: {answer:?}"
        );
    }
}
