//! The search parameter: section 6 of the fact sheet.

use taskstore::{RunOptions, SystemTaskStatus, TaskStore};

use super::listed;
use crate::support::temporary;

fn recorded() -> TaskStore {
    let store = temporary();
    for (name, uid, description, status) in [
        ("Fetch_Mail", Some("ann"), "100% of it", SystemTaskStatus::Error),
        ("scan", None, "\u{c4}rger in two words", SystemTaskStatus::Successful),
        ("words", Some("two"), "", SystemTaskStatus::Warning),
    ] {
        let options = RunOptions::new().description(description);
        let run = store.system_tasks().start_with(name, uid, options).unwrap();
        run.set_status(status, ["needle"]).unwrap();
        run.finish().unwrap();
    }
    store
}

fn found(store: &TaskStore, search: &str) -> Vec<String> {
    listed(store, &[("search", search)])
}

#[test]
fn a_search_is_a_substring_whatever_the_case_of_name_description_uid_and_status_text() {
    let store = recorded();
    for (search, expected) in [
        ("fetch", "Fetch_Mail:ann"),
        ("ANN", "Fetch_Mail:ann"),
        ("err", "Fetch_Mail:ann"),
        ("\u{e4}RGER", "scan"),
        ("warn", "words:two"),
    ] {
        assert_eq!(found(&store, search), [expected], "{search:?}");
    }
}

#[test]
fn neither_the_full_name_nor_the_messages_are_searched() {
    let store = recorded();
    assert_eq!(found(&store, "mail:ann"), [""; 0]);
    assert_eq!(found(&store, "needle"), [""; 0]);
}

#[test]
fn terms_are_split_at_blanks_and_commas_and_each_must_be_found_in_any_field() {
    let store = recorded();
    for search in ["two words", "two,words", " words ,, two ", "two\twords"] {
        assert_eq!(found(&store, search), ["scan", "words:two"], "{search:?}");
    }
    assert_eq!(found(&store, "two words warn"), ["words:two"]);
    assert_eq!(found(&store, "fetch scan"), [""; 0]);
}

#[test]
fn a_phrase_in_either_quotes_is_one_term() {
    let store = recorded();
    assert_eq!(found(&store, "\"two words\""), ["scan"]);
    assert_eq!(found(&store, "'two words'"), ["scan"]);
    assert_eq!(found(&store, "\"two words\", succ"), ["scan"]);
    assert_eq!(found(&store, "'words two'"), [""; 0]);
}

#[test]
fn per_cent_and_underscore_are_literals() {
    let store = recorded();
    assert_eq!(found(&store, "%"), ["Fetch_Mail:ann"]);
    assert_eq!(found(&store, "_"), ["Fetch_Mail:ann"]);
    assert_eq!(found(&store, "f%h"), [""; 0]);
    assert_eq!(found(&store, "s_an"), [""; 0]);
}

/// Whoever writes `mail "two words"` letter by letter sees the mail all the while.
#[test]
fn a_quote_alone_is_found_everywhere_and_one_that_is_not_closed_is_a_character() {
    let store = recorded();
    assert_eq!(found(&store, "\"").len(), 3);
    assert_eq!(found(&store, "scan '"), ["scan"]);
    assert_eq!(found(&store, "scan \"t"), [""; 0]);
    assert_eq!(found(&store, "\"\" scan ''"), ["scan"]);
}

#[test]
fn a_quote_that_is_not_closed_ends_the_phrase_before_it() {
    let store = temporary();
    for name in ["\"two words\"x", "other"] {
        let options = RunOptions::new().description("\"alone");
        store.system_tasks().start_with(name, None, options).unwrap().finish().unwrap();
    }
    assert_eq!(found(&store, "\"two words\"x\"alone"), ["\"two words\"x"]);
    assert_eq!(found(&store, "x\"two words\""), [""; 0]);
}
