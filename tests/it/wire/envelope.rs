//! The envelope of every answer.

use std::path::PathBuf;
use std::time::Duration;

use taskstore::wire::task_api::{
    Answer, DismissAllRequest, DismissedCount, DismissedMember, Refusal, TaskRequest, write_dismissed_count, write_task,
};
use taskstore::{Error, NewTask, OpenOptions};

use super::{list, show, store};
use crate::support::{configuration_id, finished, start, task_id, temporary};

/// The body of the refusal of a request whose method is this one.
fn failure(method: &str) -> String {
    Refusal::method_not_allowed(method).body()
}

#[test]
fn a_success_has_a_result_and_says_so_and_has_no_error() {
    let store = temporary();
    assert_eq!(list(&store, ""), r#"{"result":{"tasks":[]},"successful":true}"#);
    let id = start(&store, "t");
    assert!(show(&store, id, DismissedMember::HiddenBy).starts_with(r#"{"result":{"configuration_id":0,"#));
    assert!(show(&store, id, DismissedMember::HiddenBy).ends_with(r#"},"successful":true}"#));
    assert_eq!(serde_json::to_string(&Answer::success(1)).unwrap(), r#"{"result":1,"successful":true}"#);
}

#[test]
fn a_failure_has_a_message_and_says_so_and_has_no_result() {
    assert_eq!(failure("GET"), r#"{"error":{"message":"method GET is not allowed"},"successful":false}"#);
    assert_eq!(
        failure("a \"b\" \\ \u{1b}\n é 👩 </script>"),
        r#"{"error":{"message":"method a \"b\" \\ \u001b\n é 👩 </script> is not allowed"},"successful":false}"#
    );
    let data = serde_json::to_string(&Answer::<()>::failure("method GET is not allowed")).unwrap();
    assert_eq!(data, failure("GET"));
}

#[test]
fn every_refusal_has_its_status_and_its_message() {
    for (refusal, status, message) in [
        (Refusal::not_json(), 400, "the body must be application/json"),
        (Refusal::body_too_long(65_536), 400, "the body is too long; the limit is 65536 bytes"),
        (Refusal::body_incomplete(), 400, "the body did not arrive whole and in time"),
        (Refusal::not_authenticated(), 401, "valid credentials are needed"),
        (Refusal::permission_denied(), 403, "the user has no right to do this"),
        (Refusal::foreign_origin(), 403, "requests of this origin are not answered"),
        (Refusal::not_found(), 404, "there is nothing at this path"),
        (Refusal::method_not_allowed("PUT"), 405, "method PUT is not allowed"),
        (Refusal::foreign_host(), 421, "requests to this host are not answered"),
        (Refusal::internal(), 500, "internal error"),
        (Refusal::busy(), 503, "the store is busy; try again"),
    ] {
        assert_eq!((refusal.status(), refusal.message()), (status, message));
        assert_eq!(refusal.to_string(), format!("refused with status {status}: {message}"));
    }
}

#[test]
fn a_refusal_that_concerns_the_request_is_told_word_for_word() {
    let (store, _) = store();
    let id = start(&store, "t");
    let told = |error: Error| {
        let refusal = Refusal::of(&error);
        assert_eq!(refusal.status(), 400, "{refusal}");
        refusal.message().to_owned()
    };
    assert_eq!(told(store.task(task_id(9)).unwrap_err()), "task 9 does not exist");
    assert_eq!(
        told(store.dismiss(id, "ann").unwrap_err()),
        "cannot dismiss task 1: it is in progress; it must be ended and not dismissed"
    );
    assert_eq!(told(store.dismiss(id, "").unwrap_err()), "dismissed_by must not be empty");
    assert_eq!(
        told(store.dismiss(id, "x".repeat(257)).unwrap_err()),
        "dismissed_by is 257 bytes long; the limit is 256"
    );
    let nowhere = NewTask::new("t").configuration(configuration_id(5));
    assert_eq!(told(store.start_detached(nowhere).unwrap_err()), "configuration 5 does not exist");
    let page = taskstore::TaskFilter::new().limit(0);
    assert_eq!(told(store.list(&page).unwrap_err()), "limit is \"0\"; it must be a whole number from 1 to 1000");
}

#[test]
fn any_other_failure_is_told_in_general_words_without_sql_or_path() {
    let path = PathBuf::from("/secret/tasks.db");
    let io = || std::io::Error::other("/secret/tasks.db");
    for (error, status, text) in [
        (Error::Busy { waited: Duration::from_secs(5) }, 503, "the store is busy; try again"),
        (Error::ReadOnly, 500, "the store is read-only"),
        (Error::Closed, 500, "internal error"),
        (Error::InsideBatch, 500, "internal error"),
        (Error::NotATaskStore { path: path.clone() }, 500, "internal error"),
        (Error::SchemaTooNew { path: path.clone(), found: 2, newest: 1 }, 500, "internal error"),
        (Error::SymbolicLink { path }, 500, "internal error"),
        (Error::Io { action: "write the answer", source: io() }, 500, "internal error"),
        (OpenOptions::new().open("/dev/null/x").unwrap_err(), 500, "internal error"),
        (without_tables(), 500, "internal error"),
    ] {
        let refusal = Refusal::of(&error);
        assert_eq!((refusal.status(), refusal.message()), (status, text), "{error:?}");
    }
}

/// An error of a file that lacks a table.
fn without_tables() -> Error {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tasks.db");
    let store = crate::support::open(&path);
    crate::support::files::shell(&path).execute_batch("DROP TABLE message; DROP TABLE task").unwrap();
    let error = store.task(task_id(1)).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    error
}

#[test]
fn dismissing_and_restoring_over_the_api_answer_with_the_task_itself() {
    let (store, _) = store();
    let id = finished(&store, "t");
    let request = TaskRequest::parse(br#"{"params":{"task_id":1}}"#).unwrap();
    let asked = request.task().unwrap();
    assert_eq!(asked, id);
    store.dismiss(asked, "ann").unwrap();
    let answer = show(&store, asked, DismissedMember::HiddenBy);
    assert!(answer.contains(r#""hidden_by":"ann","#) && answer.contains(r#""state":"Dismissed","#), "{answer}");
    store.restore(asked).unwrap();
    let answer = show(&store, asked, DismissedMember::HiddenBy);
    assert!(answer.contains(r#""hidden_by":"","#) && answer.contains(r#""state":"End","#), "{answer}");
}

#[test]
fn dismissing_all_over_the_api_answers_with_their_number() {
    let (store, _) = store();
    let prod = store.configurations().add("prod").unwrap();
    for _ in 0..3 {
        let id = store.start_detached(NewTask::new("t").configuration(prod)).unwrap();
        store.finish(id).unwrap();
    }
    finished(&store, "of none");
    let answer = |body: &[u8]| {
        let request = DismissAllRequest::parse(body).unwrap();
        let dismissed = store.dismiss_all(request.configuration, "ann").unwrap();
        let mut answer = Vec::new();
        write_dismissed_count(dismissed, &mut answer).unwrap();
        let data = serde_json::to_vec(&Answer::success(DismissedCount { dismissed })).unwrap();
        assert_eq!(data, answer);
        String::from_utf8(answer).unwrap()
    };
    let of_prod = br#"{"params":{"configuration_id":1}}"#;
    assert_eq!(answer(of_prod), r#"{"result":{"dismissed":3},"successful":true}"#);
    assert_eq!(answer(of_prod), r#"{"result":{"dismissed":0},"successful":true}"#);
    assert_eq!(answer(b""), r#"{"result":{"dismissed":1},"successful":true}"#);
}

#[test]
fn showing_an_unknown_task_writes_nothing() {
    let (store, _) = store();
    let mut answer = Vec::new();
    let error = write_task(&store, task_id(7), DismissedMember::HiddenBy, &mut answer).unwrap_err();
    assert!(matches!(error, Error::NotFound { what: "task", id: 7 }), "{error:?}");
    assert_eq!(answer, b"");
}
