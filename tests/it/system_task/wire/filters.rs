//! The filters: section 6 of the fact sheet.

use taskstore::{SystemTaskStatus, TaskStore};

use super::{answer, listed, refusal, refused, retrieved, run};
use crate::support::temporary;
use crate::system_task::store_at_noon;

fn recorded() -> TaskStore {
    let store = temporary();
    run(&store, "scan", None, SystemTaskStatus::Successful);
    run(&store, "scan", Some(""), SystemTaskStatus::Successful);
    run(&store, "scan", Some("null"), SystemTaskStatus::Warning);
    run(&store, "Scan", Some("Null"), SystemTaskStatus::Error);
    run(&store, "two words", Some("a:b"), SystemTaskStatus::Error);
    store.system_tasks().register("idle", "").unwrap();
    store
}

const ALL: [&str; 6] = ["Scan:Null", "idle", "scan", "scan:null", "scan", "two words:a:b"];

#[test]
fn a_name_is_exact_without_the_blanks_around_it() {
    let store = recorded();
    assert_eq!(listed(&store, &[("name", "scan")]), ["scan", "scan:null", "scan"]);
    assert_eq!(listed(&store, &[("name", " \t\n scan\u{a0}\r ")]), ["scan", "scan:null", "scan"]);
    assert_eq!(listed(&store, &[("name", "Scan")]), ["Scan:Null"]);
    assert_eq!(listed(&store, &[("name", "two words")]), ["two words:a:b"]);
    for none in ["sca", "SCAN", "s%", "scan:null", "two  words", "scan,idle", "*"] {
        assert_eq!(listed(&store, &[("name", none)]), [""; 0], "{none:?}");
    }
}

#[test]
fn a_uid_is_exact_without_the_blanks_around_it_and_null_is_a_word() {
    let store = recorded();
    assert_eq!(listed(&store, &[("uid", "null")]), ["scan:null"]);
    assert_eq!(listed(&store, &[("uid", " null ")]), ["scan:null"]);
    assert_eq!(listed(&store, &[("uid", "Null")]), ["Scan:Null"]);
    assert_eq!(listed(&store, &[("uid", "a:b")]), ["two words:a:b"]);
    for none in ["a", "NULL", "None", "%", "\"\""] {
        assert_eq!(listed(&store, &[("uid", none)]), [""; 0], "{none:?}");
    }
}

#[test]
fn a_status_is_exact() {
    let store = recorded();
    assert_eq!(listed(&store, &[("status", "unknown")]), ["idle"]);
    assert_eq!(listed(&store, &[("status", "successful")]), ["scan", "scan"]);
    assert_eq!(listed(&store, &[("status", "warning")]), ["scan:null"]);
    assert_eq!(listed(&store, &[("status", "error")]), ["Scan:Null", "two words:a:b"]);
}

#[test]
fn blank_filters_are_ignored_so_that_neither_no_uid_nor_an_empty_one_can_be_asked_for() {
    let store = recorded();
    for query in [
        &[][..],
        &[("name", "")],
        &[("name", "  \t")],
        &[("uid", "")],
        &[("uid", " ")],
        &[("status", "")],
        &[("search", "")],
        &[("search", "  ")],
        &[("ordering", "")],
        &[("name", ""), ("uid", ""), ("status", ""), ("search", ""), ("ordering", ""), ("page_size", "")],
    ] {
        assert_eq!(listed(&store, query), ALL, "{query:?}");
    }
}

#[test]
fn filters_join() {
    let store = recorded();
    let query = [("name", "scan"), ("status", "successful"), ("search", "scan")];
    assert_eq!(listed(&store, &query), ["scan", "scan"]);
    assert_eq!(listed(&store, &[("name", "scan"), ("uid", "null"), ("status", "error")]), [""; 0]);
}

#[test]
fn parameters_that_are_not_known_are_ignored() {
    let store = recorded();
    for unknown in
        ["name__icontains", "status__in", "uid__isnull", "Name", "full_name", "uuid", "expiring", "format", "name ", ""]
    {
        assert_eq!(listed(&store, &[(unknown, "nothing \0")]), ALL, "{unknown:?}");
    }
}

#[test]
fn of_a_repeated_parameter_the_last_wins() {
    let store = recorded();
    assert_eq!(listed(&store, &[("name", "scan"), ("uid", "Null"), ("name", "Scan")]), ["Scan:Null"]);
    assert_eq!(listed(&store, &[("uid", "a:b"), ("uid", "null")]), ["scan:null"]);
    assert_eq!(listed(&store, &[("status", "bogus"), ("status", "unknown")]), ["idle"]);
    assert_eq!(listed(&store, &[("search", "idle"), ("search", "words")]), ["two words:a:b"]);
    assert_eq!(listed(&store, &[("ordering", "name"), ("ordering", "-name"), ("page_size", "1")]), ["two words:a:b"]);
    assert_eq!(listed(&store, &[("page", "x"), ("page", "2"), ("page_size", "1"), ("page_size", "4")]), ALL[4..]);
    // Also if the last is blank, or bad.
    assert_eq!(listed(&store, &[("name", "scan"), ("name", "")]), ALL);
    assert_eq!(refused(answer(&store, &[("status", "error"), ("status", "x")])).0, 400);
}

fn bad_status(status: &str) -> (u16, String) {
    let body = format!(r#"{{"status":["Select a valid choice. {status} is not one of the available choices."]}}"#);
    (400, body)
}

#[test]
fn a_status_that_there_is_not_is_refused_in_the_fields_own_key() {
    let store = recorded();
    for status in ["bogus", "error,warning", "Error", "ERROR", "error ", " error", " ", "1", "\u{fc}nknown"] {
        assert_eq!(refused(answer(&store, &[("status", status)])), bad_status(status), "{status:?}");
    }
    let quoted = r#"{"status":["Select a valid choice. a\"b\\c\u0000 is not one of the available choices."]}"#;
    assert_eq!(refused(answer(&store, &[("status", "a\"b\\c\0")])), refusal(400, quoted));
}

#[test]
fn nul_in_a_name_a_uid_or_a_search_is_refused() {
    let store = recorded();
    let text = "Null characters are not allowed.";
    assert_eq!(refused(answer(&store, &[("name", "a\0")])), refusal(400, &format!(r#"{{"name":["{text}"]}}"#)));
    assert_eq!(refused(answer(&store, &[("uid", "\0")])), refusal(400, &format!(r#"{{"uid":["{text}"]}}"#)));
    assert_eq!(refused(answer(&store, &[("search", "a\0b")])), refusal(400, &format!(r#"["{text}"]"#)));
}

#[test]
fn all_bad_fields_are_told_at_once_in_the_order_of_the_fields() {
    let store = recorded();
    let text = "Null characters are not allowed.";
    let choice = "Select a valid choice. x is not one of the available choices.";
    let query = [("status", "x"), ("search", "\0"), ("uid", "\0"), ("page", "0"), ("name", "\0")];
    let body = format!(r#"{{"name":["{text}"],"uid":["{text}"],"status":["{choice}"]}}"#);
    assert_eq!(refused(answer(&store, &query)), refusal(400, &body));
    let body = format!(r#"{{"uid":["{text}"],"status":["{choice}"]}}"#);
    assert_eq!(refused(answer(&store, &query[..3])), refusal(400, &body));
}

#[test]
fn bad_filters_come_before_a_bad_search_and_that_before_a_bad_page() {
    let store = recorded();
    let both = [("page", "0"), ("search", "\0")];
    assert_eq!(refused(answer(&store, &both)), refusal(400, r#"["Null characters are not allowed."]"#));
    let all = [("page", "0"), ("search", "\0"), ("status", "x")];
    assert_eq!(refused(answer(&store, &all)), bad_status("x"));
}

#[test]
fn the_same_filters_run_on_retrieve() {
    let (store, _) = store_at_noon();
    let uuid = run(&store, "scan", Some("disk"), SystemTaskStatus::Successful).to_string();
    let whole = retrieved(&store, &uuid, &[]).unwrap();
    for query in [
        &[("status", "successful")][..],
        &[("name", " scan "), ("uid", "disk"), ("search", "SCAN succ")],
        &[("name", ""), ("status", ""), ("search", "")],
        &[("ordering", "bogus"), ("page", "99"), ("page_size", "x")],
    ] {
        assert_eq!(retrieved(&store, &uuid, query).as_ref(), Ok(&whole), "{query:?}");
    }
    let gone = refusal(404, r#"{"detail":"No SystemTask matches the given query."}"#);
    for query in [("status", "error"), ("name", "Scan"), ("uid", "x"), ("search", "nothing")] {
        assert_eq!(refused(retrieved(&store, &uuid, &[query])), gone, "{query:?}");
    }
    assert_eq!(refused(retrieved(&store, &uuid, &[("status", "x")])), bad_status("x"));
    let nul = refusal(400, r#"["Null characters are not allowed."]"#);
    assert_eq!(refused(retrieved(&store, &uuid, &[("search", "\0")])), nul);
    // The filters are looked at before the row.
    assert_eq!(refused(retrieved(&store, "not a uuid", &[("status", "x")])), bad_status("x"));
}
