//! The system-task API over HTTP.

use super::Served;

#[test]
fn a_row_is_retrieved_by_its_uuid() {
    let served = Served::new();
    let run = served.store.system_tasks().start("scan", None).unwrap();
    let path = format!("/api/v3/events/system_tasks/{}/", run.uuid());
    run.finish().unwrap();
    let answer = served.get(&path);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains(r#""name":"scan","full_name":"scan","uid":null"#), "{answer:?}");
    assert_eq!(served.get(path.trim_end_matches('/')).status, 404);
}
