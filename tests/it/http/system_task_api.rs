//! The system-task API over HTTP: which row, which page, which filters.

use taskstore::wire::system_task_api::{ListRequest, RetrieveRequest, parse_uuid, write_list, write_system_task};
use taskstore::{SystemTaskStatus, TaskStore};

use super::{ROWS, Served, detail, options};
use crate::support::temporary;

const UUID: &str = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";
const NONE: &str = r#"{"pagination":{"next":0,"previous":0,"count":0,"current":1,"total_pages":1,"start_index":0,"end_index":0},"results":[]}"#;

/// A store with the one row `scan`, whose uid is `a+b é`.
fn scanned() -> Served {
    let store = crate::support::options().uuids(|| parse_uuid(UUID).unwrap()).open_temporary().unwrap();
    store.system_tasks().start("scan", Some("a+b é")).unwrap().finish().unwrap();
    Served::with(store, options())
}

/// A store with eight rows, `n 1` to `n 8`.
fn eight(store: TaskStore) -> TaskStore {
    for n in 1..=8 {
        store.system_tasks().start(format!("n {n}"), None).unwrap().finish().unwrap();
    }
    store
}

/// The names of the rows that are listed.
fn names(served: &Served, query: &str) -> Vec<String> {
    let answer = served.get(&format!("{ROWS}?{query}"));
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    let rows = answer.json()["results"].clone();
    rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_list_and_a_row_are_answered_as_the_store_writes_them() {
    let served = scanned();
    let (mut list, mut row) = (Vec::new(), Vec::new());
    write_list(&served.store, &ListRequest::parse([("", ""); 0]).unwrap(), &mut list).unwrap();
    write_system_task(&served.store, &RetrieveRequest::new(parse_uuid(UUID).unwrap()), &mut row).unwrap();
    for (path, body) in [(ROWS.to_owned(), list), (format!("{ROWS}{UUID}/"), row)] {
        let answer = served.get(&path);
        assert_eq!(answer.told(), (200, str::from_utf8(&body).unwrap()));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("content-length"), body.len().to_string());
    }
    assert_eq!(Served::new().get(ROWS).told(), (200, NONE));
}

#[test]
fn a_row_is_found_by_its_uuid_however_that_is_written() {
    let served = scanned();
    for uuid in [
        UUID,
        "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "%7B0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9%7D",
        "{0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9}",
        "urn:uuid:0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "urn%3Auuid%3A0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        "%30a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    ] {
        let answer = served.get(&format!("{ROWS}{uuid}/"));
        assert_eq!(answer.json()["uuid"], UUID, "{uuid}");
    }
    for uuid in ["", "1", "scan", &UUID[1..], "%00", "%ff", "%C3%A9", "%2F", "%zz", ".", "%2e%2e", "run"] {
        let answer = served.get(&format!("{ROWS}{uuid}/"));
        assert_eq!(answer.told(), (404, detail("Not found.").as_str()), "{uuid}");
    }
    let unknown = served.get(&format!("{ROWS}00000000-0000-0000-0000-000000000001/"));
    assert_eq!(unknown.told(), (404, detail("No SystemTask matches the given query.").as_str()));
}

#[test]
fn the_filters_hold_for_a_row_too() {
    let served = scanned();
    for (query, status) in [
        ("status=successful", 200),
        ("status=error", 404),
        ("name=scan&uid=", 200),
        ("name=other", 404),
        ("search=SCA", 200),
        ("search=other", 404),
        ("page=9&page_size=x&other=1", 200),
        ("status=bogus", 400),
        ("name=%00", 400),
    ] {
        assert_eq!(served.get(&format!("{ROWS}{UUID}/?{query}")).status, status, "{query}");
    }
}

#[test]
fn a_bad_filter_is_refused_by_the_key_of_its_field() {
    let served = scanned();
    let bogus =
        |text: &str| format!(r#"{{"status":["Select a valid choice. {text} is not one of the available choices."]}}"#);
    let nul = "Null characters are not allowed.";
    for (query, body) in [
        ("status=bogus", bogus("bogus")),
        ("status=error,warning", bogus("error,warning")),
        ("status=Error", bogus("Error")),
        ("status=%22%3Cb%3E", bogus(r#"\"<b>"#)),
        ("status=%ff", bogus("\u{fffd}")),
        ("status=error&status=bogus", bogus("bogus")),
        ("name=%00", format!(r#"{{"name":["{nul}"]}}"#)),
        ("uid=a%00b&name=%00", format!(r#"{{"name":["{nul}"],"uid":["{nul}"]}}"#)),
        ("search=a%00", format!(r#"["{nul}"]"#)),
    ] {
        assert_eq!(served.get(&format!("{ROWS}?{query}")).told(), (400, body.as_str()), "{query}");
    }
}

#[test]
fn parameters_are_decoded_as_forms_are_and_of_a_repeated_one_the_last_counts() {
    let served = scanned();
    for (query, is_found) in [
        ("uid=a%2Bb%20%C3%A9", true),
        ("uid=a%2Bb+%c3%a9", true),
        ("uid=a+b+%C3%A9", false),
        ("uid=a%2Bb%20%ff", false),
        ("%75id=a%2Bb%20%C3%A9", true),
        ("name=%zz", false),
        ("name=scan%", false),
        ("name=other&name=scan", true),
        ("name=scan&name=other", false),
        ("name=other&name=", true),
        ("status=bogus&status=successful", true),
        ("name=+scan+", true),
        ("Name=other", true),
        ("name__icontains=other&;name=other", true),
        ("&&=&name=scan&", true),
    ] {
        assert_eq!(names(&served, query).len(), usize::from(is_found), "{query}");
    }
}

#[test]
fn pages_are_numbered_and_one_that_there_is_not_is_not_found() {
    let served = Served::with(eight(temporary()), options());
    for (query, numbers) in [
        ("", [0, 0, 8, 1, 1, 1, 8]),
        ("page_size=3", [2, 0, 8, 1, 3, 1, 3]),
        ("page_size=3&page=2", [3, 1, 8, 2, 3, 4, 6]),
        ("page_size=3&page=3", [0, 2, 8, 3, 3, 7, 8]),
        ("page_size=3&page=last", [0, 2, 8, 3, 3, 7, 8]),
        ("page_size=3&page=%2B02", [3, 1, 8, 2, 3, 4, 6]),
        ("page_size=3&page=+1+", [2, 0, 8, 1, 3, 1, 3]),
        ("page_size=0", [0, 0, 8, 1, 1, 1, 8]),
        ("page_size=-1", [0, 0, 8, 1, 1, 1, 8]),
        ("page_size=", [0, 0, 8, 1, 1, 1, 8]),
        ("page_size=x", [0, 0, 8, 1, 1, 1, 8]),
        ("page_size=99999999999999999999999", [0, 0, 8, 1, 1, 1, 8]),
    ] {
        let pagination = served.get(&format!("{ROWS}?{query}")).json()["pagination"].clone();
        let names = ["next", "previous", "count", "current", "total_pages", "start_index", "end_index"];
        assert_eq!(names.map(|name| pagination[name].as_u64().unwrap()), numbers, "{query}");
    }
    for query in ["page=0", "page=-1", "page=2", "page=abc", "page=", "page=1.0", "page=99999999999999999999999"] {
        let answer = served.get(&format!("{ROWS}?{query}"));
        assert_eq!(answer.told(), (404, detail("Invalid page.").as_str()), "{query}");
    }
    assert_eq!(Served::new().get(&format!("{ROWS}?page=2")).told(), (404, detail("Invalid page.").as_str()));
}

#[test]
fn a_router_may_have_a_largest_page() {
    let served = Served::with(eight(temporary()), options().page_size_max(3));
    for (query, last) in [("", 3), ("page_size=8", 3), ("page_size=3", 3), ("page_size=2", 2), ("page_size=x", 3)] {
        assert_eq!(names(&served, query).len(), last, "{query}");
    }
    assert_eq!(served.get(&format!("{ROWS}?page_size=8&page=3")).json()["pagination"]["end_index"], 8);
    assert_eq!(names(&Served::with(eight(temporary()), options().page_size_max(0)), "").len(), 1);
}

#[test]
fn rows_are_filtered_and_ordered_as_asked() {
    let served = Served::with(eight(temporary()), options());
    let run = served.store.system_tasks().start("n 9", None).unwrap();
    run.set_status(SystemTaskStatus::Warning, ["slow"]).unwrap();
    run.finish().unwrap();
    assert_eq!(names(&served, "search=%223%22"), ["n 3"]);
    assert_eq!(names(&served, "ordering=-name&page_size=2"), ["n 9", "n 8"]);
    assert_eq!(names(&served, "name=n+4"), ["n 4"]);
    assert_eq!(names(&served, "status=warning"), ["n 9"]);
}
