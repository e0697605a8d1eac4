//! What a list shows, and every order that it can have.

use std::time::Duration;

use taskstore::{
    Direction, Error, PageNumber, RunOptions, SortField, SortKey, SystemTaskFilter, SystemTaskStatus, TaskStore,
};
use uuid::Uuid;

use super::{SECOND_NS, finished, listed, names, options_at_noon, start, store_at_noon};
use crate::support::{Nanoseconds as _, temporary};

fn sort(keys: &[&str]) -> Vec<SortKey> {
    keys.iter().map(|key| key.parse().unwrap()).collect()
}

/// The last digits of the uuids of a list in this order.
fn order(store: &TaskStore, keys: &[&str]) -> Vec<u128> {
    let filter = SystemTaskFilter::new().sort(sort(keys));
    store.system_tasks().list(&filter).unwrap().items.iter().map(|task| task.uuid.as_u128()).collect()
}

/// Five rows, of the uuids 1 to 5, that differ in every member; some of each are equal or null.
fn five_rows() -> TaskStore {
    let (options, clock) = options_at_noon();
    let uuids = std::sync::Mutex::new(vec![1, 4, 2, 5, 3]);
    let store = options.uuids(move || Uuid::from_u128(uuids.lock().unwrap().pop().unwrap())).open_temporary().unwrap();
    let options = |seconds| RunOptions::new().expires_after(Duration::from_secs(seconds));
    let runs = [
        // Uuid 3: starts at 1, ends at 2.
        ("b", None, options(100).description("z"), 1, SystemTaskStatus::Warning),
        // Uuid 5: from 3 to 6.
        ("a", Some("x"), RunOptions::new().never_expires(), 3, SystemTaskStatus::Error),
        // Uuid 2: from 7 to 10.
        ("a", Some(""), options(10).description("Z"), 3, SystemTaskStatus::Successful),
        // Uuid 4: from 11 to 11.
        ("B", Some("x"), options(91).description("z"), 0, SystemTaskStatus::Error),
    ];
    for (name, uid, options, seconds, status) in runs {
        clock.advance_ns(SECOND_NS);
        let run = store.system_tasks().start_with(name, uid, options).unwrap();
        clock.advance_ns(seconds * SECOND_NS);
        run.set_status(status, [""; 0]).unwrap();
        run.finish().unwrap();
    }
    // Uuid 1: registered at 4.
    clock.advance_ns(-7 * SECOND_NS);
    store.system_tasks().register("c", "").unwrap();
    store
}

#[test]
fn every_field_orders_both_ways_with_nulls_last_ascending_and_equal_rows_by_their_uuid() {
    let store = five_rows();
    let expected: [(SortField, [u128; 5], [u128; 5]); 11] = [
        (SortField::Uuid, [1, 2, 3, 4, 5], [5, 4, 3, 2, 1]),
        // B, a, a, b, c
        (SortField::Name, [4, 2, 5, 3, 1], [1, 3, 2, 5, 4]),
        // "", x, x, null, null
        (SortField::Uid, [2, 4, 5, 1, 3], [1, 3, 4, 5, 2]),
        // "", "", Z, z, z
        (SortField::Description, [1, 5, 2, 3, 4], [3, 4, 2, 1, 5]),
        // 1, 3, 4, 7, 11
        (SortField::StartTimestamp, [3, 5, 1, 2, 4], [4, 2, 1, 5, 3]),
        // 2, 4, 6, 10, 11
        (SortField::FinishTimestamp, [3, 1, 5, 2, 4], [4, 2, 5, 1, 3]),
        // 0, 0, 1, 3, 3
        (SortField::Duration, [1, 4, 3, 2, 5], [2, 5, 3, 1, 4]),
        // error, error, successful, unknown, warning
        (SortField::Status, [4, 5, 2, 1, 3], [3, 1, 2, 4, 5]),
        (SortField::Messages, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        // 20, 102, 102, null, null
        (SortField::Expires, [2, 3, 4, 1, 5], [1, 5, 3, 4, 2]),
        // false, false, true, true, true
        (SortField::Expiring, [1, 5, 2, 3, 4], [2, 3, 4, 1, 5]),
    ];
    assert_eq!(expected.map(|(field, ..)| field), SortField::ALL);
    for (field, ascending, descending) in expected {
        let name = field.as_str();
        assert_eq!(order(&store, &[name]), ascending, "{name}");
        assert_eq!(order(&store, &[&format!("-{name}")]), descending, "-{name}");
    }
}

#[test]
fn later_keys_decide_what_the_first_leave_equal_and_a_field_that_comes_again_decides_nothing() {
    let store = five_rows();
    assert_eq!(order(&store, &[]), [4, 2, 5, 3, 1]);
    assert_eq!(order(&store, &["name", "uid", "status"]), order(&store, &[]));
    assert_eq!(order(&store, &["-name", "-uid"]), [1, 3, 5, 2, 4]);
    assert_eq!(order(&store, &["name", "-uid"]), [4, 5, 2, 3, 1]);
    assert_eq!(order(&store, &["status", "-uuid"]), [5, 4, 2, 1, 3]);
    assert_eq!(order(&store, &["messages", "-expiring", "duration"]), [4, 3, 2, 1, 5]);
    assert_eq!(order(&store, &["-uid", "-description", "name"]), [3, 1, 4, 5, 2]);
    assert_eq!(order(&store, &["status", "-status", "name"]), [4, 5, 2, 1, 3]);
}

#[test]
fn text_is_ordered_by_its_bytes() {
    let store = temporary();
    for name in ["a_b", "ab", "Zeta", "\u{e4}", "z", "\u{1f600}", "\u{ffff}", "a"] {
        finished(&store, name, None);
    }
    assert_eq!(names(&listed(&store)), ["Zeta", "a", "a_b", "ab", "z", "\u{e4}", "\u{ffff}", "\u{1f600}"]);
}

#[test]
fn a_sort_key_is_read_as_it_is_written() {
    for field in SortField::ALL {
        for direction in [Direction::Ascending, Direction::Descending] {
            let key = SortKey { field, direction };
            assert_eq!(key.to_string().parse::<SortKey>().unwrap(), key);
        }
    }
    assert_eq!("-name".parse::<SortKey>().unwrap().direction, Direction::Descending);
    for unknown in ["", "-", "--name", "+name", "Name", "full_name", "pk", " name"] {
        let error = unknown.parse::<SortKey>().unwrap_err();
        assert_eq!(error.to_string(), "ordering must name members of a system task", "{unknown:?}");
    }
}

#[test]
fn a_first_run_in_progress_is_not_listed_and_a_later_one_leaves_the_last_result() {
    let store = temporary();
    let first = start(&store, "scan");
    let uuid = first.uuid();
    assert_eq!(listed(&store), []);
    assert!(matches!(store.system_tasks().retrieve(uuid), Err(Error::NoSuchSystemTask { .. })));
    first.set_status(SystemTaskStatus::Warning, ["slow"]).unwrap();
    first.finish().unwrap();
    let shown = listed(&store);
    let second = start(&store, "scan");
    second.set_status(SystemTaskStatus::Error, ["worse"]).unwrap();
    assert_eq!(listed(&store), shown);
    assert_eq!(store.system_tasks().retrieve(uuid).unwrap(), shown[0]);
    second.finish().unwrap();
    assert_eq!(listed(&store)[0].status(), SystemTaskStatus::Error);
}

#[test]
fn a_filter_leaves_exactly_those_of_its_name_uid_and_status() {
    let store = five_rows();
    let found = |filter: SystemTaskFilter| -> Vec<u128> {
        store.system_tasks().list(&filter).unwrap().items.iter().map(|task| task.uuid.as_u128()).collect()
    };
    let all = SystemTaskFilter::new;
    assert_eq!(found(all().name("a")), [2, 5]);
    assert_eq!((found(all().name("A")), found(all().name("a ")), found(all().name(""))), (vec![], vec![], vec![]));
    assert_eq!((found(all().uid("x")), found(all().uid("")), found(all().uid("X"))), (vec![4, 5], vec![2], vec![]));
    assert_eq!(found(all().status(SystemTaskStatus::Error)), [4, 5]);
    assert_eq!(found(all().status(SystemTaskStatus::Unknown)), [1]);
    assert_eq!(found(all().name("a").uid("x").status(SystemTaskStatus::Error)), [5]);
    assert_eq!(found(all().name("a").uid("x").status(SystemTaskStatus::Warning)), [0; 0]);
}

#[test]
fn the_total_counts_what_the_filter_leaves_whatever_the_page() {
    let store = five_rows();
    let list = |filter: SystemTaskFilter| store.system_tasks().list(&filter).unwrap();
    let all = || SystemTaskFilter::new().limit(2);
    assert_eq!(list(all()).total, None);
    let first = list(all().with_total());
    assert_eq!((first.items.len(), first.total), (2, Some(5)));
    let second = list(all().with_total().after(first.next.unwrap()));
    assert_eq!((second.items.len(), second.total), (2, Some(5)));
    assert_eq!(list(all().name("a").with_total()).total, Some(2));
    assert_eq!(list(all().status(SystemTaskStatus::Error).with_total()).total, Some(2));
    assert_eq!(list(all().search("z").with_total()).total, Some(3));
    assert_eq!(list(all().uid("nobody").with_total()).total, Some(0));
}

#[test]
fn a_cursor_of_another_order_or_filter_and_one_that_no_list_gave_out_are_refused() {
    let store = five_rows();
    let list = |filter: &SystemTaskFilter| store.system_tasks().list(filter);
    let by = |keys: &[&str]| SystemTaskFilter::new().limit(1).sort(sort(keys));
    let cursor = list(&by(&["name"])).unwrap().next.unwrap();
    assert!(list(&by(&["name"]).after(cursor.clone())).is_ok());
    for other in [&[][..], &["-name"], &["name", "status"], &["uuid"], &["uid"]] {
        let refused = list(&by(other).after(cursor.clone())).unwrap_err();
        assert!(
            matches!(&refused, Error::InvalidCursor { cursor: named } if *named == cursor.to_string()),
            "{refused:?}"
        );
    }
    let filters: [fn(SystemTaskFilter) -> SystemTaskFilter; 4] = [
        |filter| filter.name("a"),
        |filter| filter.uid("1"),
        |filter| filter.status(SystemTaskStatus::Error),
        |filter| filter.search("a"),
    ];
    for other in filters {
        let refused = list(&other(by(&["name"])).after(cursor.clone()));
        assert!(matches!(refused, Err(Error::InvalidCursor { .. })), "{refused:?}");
    }
    assert!(list(&by(&["name"]).limit(2).with_total().after(cursor.clone())).is_ok());
    let text = cursor.to_string();
    let cut = &text[..text.len() - 1];
    for garbage in ["", "garbage", "run-1", cut, &text.replace('[', "[null,"), &text.replace(']', ",1]"), &text[1..]] {
        let refused = list(&by(&["name"]).after(garbage.parse().unwrap()));
        assert!(matches!(refused, Err(Error::InvalidCursor { .. })), "{garbage:?} gave {refused:?}");
    }
}

#[test]
fn rows_that_arrive_or_go_meanwhile_neither_repeat_nor_hide_others() {
    let (store, clock) = store_at_noon();
    for name in ["b", "d", "f", "h"] {
        finished(&store, name, None);
    }
    let brief = RunOptions::new().expires_after(Duration::from_secs(1));
    store.system_tasks().start_with("b", None, brief).unwrap().finish().unwrap();
    let filter = SystemTaskFilter::new().limit(2);
    let first = store.system_tasks().list(&filter).unwrap();
    assert_eq!(names(&first.items), ["b", "d"]);
    clock.advance_ns(SECOND_NS);
    store.clean_expired().unwrap();
    for name in ["a", "c", "e"] {
        finished(&store, name, None);
    }
    let second = store.system_tasks().list(&filter.after(first.next.unwrap())).unwrap();
    assert_eq!(names(&second.items), ["e", "f"]);
    assert!(second.next.is_some());
}

#[test]
fn a_page_by_number_that_there_is_not_is_refused() {
    let store = five_rows();
    let filter = SystemTaskFilter::new().limit(2);
    for number in [0, 4, u64::MAX] {
        let refused = store.system_tasks().list_numbered(&filter, PageNumber::Number(number)).unwrap_err();
        let value = number.to_string();
        let told =
            matches!(&refused, Error::OutOfRange { field: "page", value: named, min: 1, max: 3 } if *named == value);
        assert!(told, "{refused:?}");
    }
    let last = store.system_tasks().list_numbered(&filter, PageNumber::Last).unwrap();
    assert_eq!((names(&last.items), last.pagination.current), (vec!["c".to_owned()], 3));
}
