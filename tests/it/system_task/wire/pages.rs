//! Pages and their pagination object: sections 6 and 7 of the fact sheet.

use taskstore::wire::system_task_api::ListRequest;
use taskstore::{SystemTaskStatus, TaskStore};

use super::{answer, listed, refusal, refused, run};
use crate::support::temporary;

/// Rows called "0", "1" and so on.
fn rows(count: usize) -> TaskStore {
    let store = temporary();
    store
        .batch(|batch| {
            for number in 0..count {
                let options = taskstore::RunOptions::new();
                let run = batch.start_run(format!("{number:04}"), None, options)?;
                batch.finish_run(&run)?;
            }
            Ok::<_, taskstore::Error>(())
        })
        .unwrap();
    store
}

/// The beginning of an answer, with the members of its pagination in the order of the table.
fn begins(numbers: [u64; 7]) -> String {
    let [next, previous, count, current, total, start, end] = numbers;
    format!(
        r#"{{"pagination":{{"next":{next},"previous":{previous},"count":{count},"current":{current},"total_pages":{total},"start_index":{start},"end_index":{end}}},"results":["#
    )
}

fn assert_page(store: &TaskStore, query: super::Query<'_>, numbers: [u64; 7]) {
    let answer = answer(store, query).unwrap();
    assert!(answer.starts_with(&begins(numbers)), "{query:?} gave {}", answer.get(..200).unwrap_or(&answer));
    let rows = listed(store, query);
    let expected = if numbers[5] == 0 { 0..0 } else { numbers[5] - 1..numbers[6] };
    assert_eq!(rows, expected.map(|number| format!("{number:04}")).collect::<Vec<_>>(), "{query:?}");
}

#[test]
fn an_empty_result_is_one_empty_page() {
    let store = rows(0);
    let empty = r#"{"pagination":{"next":0,"previous":0,"count":0,"current":1,"total_pages":1,"start_index":0,"end_index":0},"results":[]}"#;
    assert_eq!(answer(&store, &[]).unwrap(), empty);
    assert_eq!(answer(&store, &[("page", "1")]).unwrap(), empty);
    assert_eq!(answer(&store, &[("page", "last"), ("page_size", "1")]).unwrap(), empty);
    let filtered = [("name", "nobody"), ("page_size", "3")];
    assert_eq!(answer(&rows(8), &filtered).unwrap(), empty);
}

#[test]
fn the_pagination_of_every_page_is_that_of_the_table() {
    let store = rows(8);
    assert_page(&store, &[], [0, 0, 8, 1, 1, 1, 8]);
    assert_page(&store, &[("page_size", "8")], [0, 0, 8, 1, 1, 1, 8]);
    assert_page(&store, &[("page_size", "3")], [2, 0, 8, 1, 3, 1, 3]);
    assert_page(&store, &[("page_size", "3"), ("page", "2")], [3, 1, 8, 2, 3, 4, 6]);
    assert_page(&store, &[("page_size", "3"), ("page", "3")], [0, 2, 8, 3, 3, 7, 8]);
    assert_page(&store, &[("page_size", "7"), ("page", "2")], [0, 1, 8, 2, 2, 8, 8]);
    assert_page(&store, &[("page_size", "1"), ("page", "8")], [0, 7, 8, 8, 8, 8, 8]);
}

#[test]
fn the_count_is_taken_after_the_filters() {
    let store = rows(8);
    run(&store, "odd", None, SystemTaskStatus::Error);
    let with = |query| answer(&store, query).unwrap();
    assert!(with(&[("status", "successful"), ("page_size", "3")]).starts_with(&begins([2, 0, 8, 1, 3, 1, 3])));
    assert!(with(&[("search", "odd")]).starts_with(&begins([0, 0, 1, 1, 1, 1, 1])));
    assert!(with(&[("name", "0003")]).starts_with(&begins([0, 0, 1, 1, 1, 1, 1])));
}

#[test]
fn a_page_may_be_the_last_and_its_number_may_have_blanks_a_sign_and_zeros() {
    let store = rows(8);
    for (page, current) in
        [("last", 3), (" 2", 2), ("2 ", 2), ("+1", 1), (" +1", 1), ("01", 1), ("0003", 3), ("\t3\n", 3)]
    {
        let first = (current - 1) * 3 + 1;
        let next = if current == 3 { 0 } else { current + 1 };
        let expected = [next, current - 1, 8, current, 3, first, (first + 2).min(8)];
        assert_page(&store, &[("page_size", "3"), ("page", page)], expected);
    }
}

#[test]
fn a_page_that_there_is_not_is_not_found() {
    let invalid = refusal(404, r#"{"detail":"Invalid page."}"#);
    let store = rows(8);
    for page in [
        "0",
        "-1",
        "-0",
        "4",
        "99999999999999999999999999",
        "abc",
        "",
        " ",
        "1.0",
        "1e0",
        "0x1",
        "Last",
        "last ",
        "1 1",
        "+-1",
        "\0",
        "None",
        "170141183460469231731687303715884105728",
    ] {
        assert_eq!(refused(answer(&store, &[("page_size", "3"), ("page", page)])), invalid, "{page:?}");
    }
    assert_eq!(refused(answer(&rows(0), &[("page", "2")])), invalid);
    assert_eq!(refused(answer(&store, &[("page", "2")])), invalid);
}

#[test]
fn a_page_has_a_hundred_rows_for_what_is_no_page_size() {
    let store = rows(101);
    for size in ["0", "-1", "-100", "", " ", "abc", "1.0", "1e3", "last", "\0", "00", "+"] {
        assert_page(&store, &[("page_size", size)], [2, 0, 101, 1, 2, 1, 100]);
    }
    assert_page(&store, &[("page", "2")], [0, 1, 101, 2, 2, 101, 101]);
    assert_eq!(ListRequest::parse([("", ""); 0]).unwrap().page_size, 100);
}

#[test]
fn a_page_size_has_no_maximum() {
    let store = rows(1_234);
    for size in
        ["1234", "5000", "18446744073709551615", "99999999999999999999", "9999999999999999999999999999999999999999999"]
    {
        assert_page(&store, &[("page_size", size)], [0, 0, 1_234, 1, 1, 1, 1_234]);
    }
    assert_page(&store, &[("page_size", " +01233 ")], [2, 0, 1_234, 1, 2, 1, 1_233]);
}

#[test]
fn a_body_has_no_other_member_than_the_pagination_and_the_results() {
    let answer = answer(&rows(2), &[("page_size", "1")]).unwrap();
    let body: std::collections::BTreeMap<String, serde_json::Value> = serde_json::from_str(&answer).unwrap();
    assert_eq!(body.keys().collect::<Vec<_>>(), ["pagination", "results"]);
    assert_eq!(body["pagination"].as_object().unwrap().len(), 7);
    assert!(body["pagination"].as_object().unwrap().values().all(serde_json::Value::is_u64));
}
