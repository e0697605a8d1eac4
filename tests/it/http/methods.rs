//! Unknown paths and wrong methods.

use super::{ROWS, Served, detail, failure};

const ROW: &str = "/api/v3/events/system_tasks/00000000-0000-0000-0000-000000000001/";

#[test]
fn an_unknown_path_of_the_task_api_is_refused_in_its_envelope() {
    let served = Served::new();
    for path in
        ["/task", "/task/", "/task/list/", "/task//list", "/task/List", "/task/%6cist", "/task/%ff", "/task/list/x"]
    {
        for method in ["POST", "GET", "PUT", "OPTIONS"] {
            let answer = served.send(method, path, &[]);
            assert_eq!(answer.told(), (404, failure("there is nothing at this path").as_str()), "{method} {path}");
        }
    }
}

#[test]
fn any_other_unknown_path_is_refused_as_the_system_task_api_does() {
    let served = Served::new();
    let uuid = "/api/v3/events/system_tasks/00000000-0000-0000-0000-000000000001";
    for path in [
        "/",
        "/x",
        "/taskx",
        "/%74ask/list",
        "//task/list",
        "/%ff",
        "/api/v3/events/system_tasks",
        uuid,
        &format!("{uuid}/run"),
        &format!("{uuid}/run/x"),
        &format!("{uuid}/stop/"),
    ] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = served.send(method, path, &[]);
            assert_eq!(answer.told(), (404, detail("Not found.").as_str()), "{method} {path}");
        }
    }
    // What has no path at all.
    assert_eq!(served.send("OPTIONS", "*", &[]).told(), (404, detail("Not found.").as_str()));
    assert_eq!(served.send("CONNECT", "localhost:8080", &[]).told(), (404, detail("Not found.").as_str()));
}

#[test]
fn a_wrong_method_is_told_which_are_right() {
    let served = Served::new();
    for path in ["list", "show", "dismiss", "restore", "dismiss_all"] {
        for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"] {
            let answer = served.send(method, &format!("/task/{path}"), &[]);
            assert_eq!(answer.told(), (405, failure(&format!("method {method} is not allowed")).as_str()), "{path}");
            assert_eq!(answer.header("allow"), "POST");
        }
    }
    for (path, right, wrong) in [
        (ROWS.to_owned(), "GET,HEAD", "POST"),
        (ROW.to_owned(), "GET,HEAD", "POST"),
        (format!("{ROW}run/"), "POST", "GET"),
    ] {
        for method in [wrong, "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "X"] {
            let answer = served.send(method, &path, &[]);
            let refused = detail(&format!(r#"Method \"{method}\" not allowed."#));
            assert_eq!((answer.told(), answer.header("allow")), ((405, refused.as_str()), right), "{method} {path}");
        }
    }
}

#[test]
fn a_head_is_answered_as_a_get_without_the_body() {
    let served = Served::new();
    let run = served.store.system_tasks().start("scan", None).unwrap();
    let row = format!("{ROWS}{}/", run.uuid());
    run.finish().unwrap();
    for path in [ROWS, &row, ROW] {
        let (get, head) = (served.get(path), served.send("HEAD", path, &[]));
        assert_eq!((head.status, head.body.as_str()), (get.status, ""));
        assert_eq!(head.headers, get.headers, "{path}");
        assert_eq!(get.header("content-length"), get.body.len().to_string());
    }
    for path in ["/task/list", &format!("{row}run/")] {
        let head = served.send("HEAD", path, &[]);
        assert_eq!((head.told(), head.header("allow")), ((405, ""), "POST"), "{path}");
    }
}
