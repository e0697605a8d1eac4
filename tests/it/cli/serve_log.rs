//! `taskstore serve --log`: a line of JSON for each request.

use std::io::Read;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::serve::{LIST, answer, ask, get};
use super::{Place, Started};

/// Ends the server, and gives the lines of its log.
fn lines(server: Started) -> Vec<Value> {
    server.signal(Signal::SIGTERM);
    let ended = server.end();
    assert_eq!(ended.code, Some(0));
    ended.error.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line:?}"))).collect()
}

#[test]
fn each_request_is_one_line_whatever_it_asks() {
    let place = Place::new();
    place.store();
    let (server, address) = place.serve(&["--log"]);
    let length = answer(&address, LIST).split_once("\r\n\r\n").unwrap().1.len();
    let hostile = get("/a\"\\%0a{}'\u{202e}?secret=1").replacen("GET", "X-Y|`~", 1);
    assert!(answer(&address, &hostile).starts_with("HTTP/1.1 404 "));
    answer(&address, &get("/task/list"));
    answer(&address, &get("/").replacen("GET", "HEAD", 1));

    let lines = lines(server);
    let told = |name: &str| lines.iter().map(|line| line[name].clone()).collect::<Vec<_>>();
    assert_eq!(told("status"), [200, 404, 405, 404]);
    assert_eq!(told("method"), ["POST", "X-Y|`~", "GET", "HEAD"]);
    assert_eq!(told("path"), ["/task/list", "/a\"\\%0a{}'\\u{202e}", "/task/list", "/"]);
    assert_eq!(told("cut"), [false; 4]);
    assert_eq!((&lines[0]["bytes"], &lines[0]["user"]), (&length.into(), &"anonymous".into()));
    assert_eq!(told("cause"), [const { Value::Null }; 4]);
    for line in &lines {
        assert!(line["peer"].as_str().unwrap().starts_with("127.0.0.1:"), "{line}");
        assert!(line["duration_ms"].as_f64().unwrap() > 0.0, "{line}");
        let time = line["time"].as_str().unwrap();
        assert!(time.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{line}");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_told_as_such() {
    let place = Place::new();
    place.fill();
    let (server, address) = place.serve(&["--log"]);
    let mut leaving = ask(&address, LIST);
    leaving.read_exact(&mut [0]).unwrap();
    drop(leaving);
    let whole = answer(&address, LIST);
    let lines = lines(server);
    let mut cut: Vec<_> = lines.iter().map(|line| (line["cut"].as_bool(), line["status"].as_u64())).collect();
    cut.sort_unstable();
    assert_eq!(cut, [(Some(false), Some(200)), (Some(true), Some(200))]);
    let bytes = lines.iter().find(|line| line["cut"] == false).unwrap()["bytes"].as_u64().unwrap();
    assert!(bytes > 16 << 20 && bytes < u64::try_from(whole.len()).unwrap(), "{bytes}");
}

#[test]
fn what_fails_inside_is_told_with_its_cause_to_the_operator_alone() {
    let place = Place::new();
    place.ok(&["start", "--title", "copy"]);
    place.ok(&["finish", "1"]);
    let mut rights = std::fs::metadata(place.path("tasks.db")).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(place.path("tasks.db"), rights).unwrap();
    let (server, address) = place.serve(&["--log"]);
    let dismiss = "POST /task/dismiss HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
                   content-length: 24\r\n\r\n{\"params\":{\"task_id\":1}}";
    let refused = answer(&address, dismiss);
    let cause = lines(server).remove(0);
    // Whoever may write everywhere is not kept from it by the rights of a file.
    if !refused.starts_with("HTTP/1.1 200 ") {
        assert_eq!(cause["status"], 500, "{cause}");
        let cause = cause["cause"].as_str().unwrap();
        assert!(!cause.is_empty() && !refused.contains(cause), "{cause}: {refused}");
    }
}
