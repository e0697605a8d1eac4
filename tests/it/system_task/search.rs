//! What a search finds.

use taskstore::{RunOptions, SystemTaskFilter, SystemTaskStatus, TaskStore};

use super::names;
use crate::support::temporary;

fn recorded() -> TaskStore {
    let store = temporary();
    for (name, uid, description, status) in [
        ("Fetch_Mail", Some("ann:inbox"), "Gets 100% of the mail", SystemTaskStatus::Successful),
        (
            "fetchXmail",
            None,
            "GR\u{d6}SSE, \u{3a3}\u{3af}\u{3c3}\u{3c5}\u{3c6}\u{3bf}\u{3c2}",
            SystemTaskStatus::Warning,
        ),
        ("scan", Some("two words"), "It's a \"quoted\" text", SystemTaskStatus::Error),
    ] {
        let options = RunOptions::new().description(description);
        let run = store.system_tasks().start_with(name, uid, options).unwrap();
        run.set_status(status, ["needle"]).unwrap();
        run.finish().unwrap();
    }
    store.system_tasks().register("idle", "").unwrap();
    store
}

fn found(store: &TaskStore, search: &str) -> Vec<String> {
    names(&store.system_tasks().list(&SystemTaskFilter::new().search(search)).unwrap().items)
}

const MAIL: &str = "Fetch_Mail:ann:inbox";
const X: &str = "fetchXmail";
const SCAN: &str = "scan:two words";

#[test]
fn a_term_is_found_in_the_name_the_description_the_uid_and_the_status() {
    let store = recorded();
    assert_eq!(found(&store, "fetch"), [MAIL, X]);
    assert_eq!(found(&store, "gets"), [MAIL]);
    assert_eq!(found(&store, "INBOX"), [MAIL]);
    assert_eq!(found(&store, "err"), [SCAN]);
    assert_eq!(found(&store, "unknown"), ["idle"]);
    assert_eq!(found(&store, "warning"), [X]);
}

#[test]
fn a_term_is_not_found_in_the_full_name_the_messages_or_across_two_texts() {
    let store = recorded();
    for search in ["Fetch_Mail:ann", "scan:two", "needle", "wordsIt", "mailsuccessful", "successfull", "1 error"] {
        assert_eq!(found(&store, search), [""; 0], "{search:?}");
    }
}

#[test]
fn every_term_must_be_found_each_in_any_text() {
    let store = recorded();
    assert_eq!(found(&store, "fetch inbox"), [MAIL]);
    assert_eq!(found(&store, "fetch,inbox"), [MAIL]);
    assert_eq!(found(&store, " ,fetch ,, succ\t100% "), [MAIL]);
    assert_eq!(found(&store, "fetch scan"), [""; 0]);
    assert_eq!(found(&store, "two text error"), [SCAN]);
    assert_eq!(found(&store, "words two"), [SCAN]);
}

#[test]
fn a_search_without_a_term_finds_all() {
    let store = recorded();
    for search in ["", " ", ",", " , ,\n", "\"\""] {
        assert_eq!(found(&store, search).len(), 4, "{search:?}");
    }
}

#[test]
fn a_quoted_phrase_is_one_term() {
    let store = recorded();
    assert_eq!(found(&store, "\"two words\""), [SCAN]);
    assert_eq!(found(&store, "'two words'"), [SCAN]);
    assert_eq!(found(&store, "\"words two\""), [""; 0]);
    assert_eq!(found(&store, "\"of the mail\" fetch"), [MAIL]);
    assert_eq!(found(&store, "\"grösse, σ\""), [X]);
    assert_eq!(found(&store, "\"a \\\"quoted\\\" text\""), [SCAN]);
    // A quote that is not closed, or inside a word, is a character as any other.
    assert_eq!(found(&store, "it's"), [SCAN]);
    assert_eq!(found(&store, "\"quoted"), [SCAN]);
    assert_eq!(found(&store, "\"fetch"), [""; 0]);
}

#[test]
fn case_does_not_matter_in_any_script() {
    let store = recorded();
    for search in ["grösse", "GRÖSSE", "gRöSsE", "σίσυφος", "ΣΊΣΥΦΟΣ", "σίσυφοσ"] {
        assert_eq!(found(&store, search), [X], "{search:?}");
    }
    // Simple folding: one character is not two, and an accent is not nothing.
    assert_eq!((found(&store, "größe"), found(&store, "grosse")), (vec![], vec![]));
}

#[test]
fn wildcards_stand_for_themselves() {
    let store = recorded();
    assert_eq!(found(&store, "fetch_mail"), [MAIL]);
    assert_eq!(found(&store, "%"), [MAIL]);
    assert_eq!(found(&store, "100%"), [MAIL]);
    for search in ["fetch%mail", "f*", "f?tch", "%mail%", "sc_n", "\\", "s.an"] {
        assert_eq!(found(&store, search), [""; 0], "{search:?}");
    }
}

#[test]
fn a_search_joins_the_other_filters() {
    let store = recorded();
    let filter = SystemTaskFilter::new().search("fetch").status(SystemTaskStatus::Warning).with_total();
    let page = store.system_tasks().list(&filter).unwrap();
    assert_eq!((names(&page.items), page.total), (vec![X.to_owned()], Some(1)));
}
