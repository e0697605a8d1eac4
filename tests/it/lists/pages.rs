//! Pages: how many rows, and what they look like outside.

use taskstore::{Dismissed, Error, NewTask, Outcomes, TaskFilter};

use super::check::ids_of;
use crate::support::{finished, interrupted, start, temporary};

#[test]
fn the_default_shows_a_hundred_undismissed_tasks_newest_first() {
    let store = temporary();
    let ids: Vec<_> = (0..102).map(|n| start(&store, &n.to_string())).collect();
    for id in &ids[100..] {
        store.finish(*id).unwrap();
    }
    store.dismiss(ids[101], "ann").unwrap();
    let page = store.list(&TaskFilter::default()).unwrap();
    assert!(ids_of(&page.items).iter().eq(ids[1..=100].iter().rev()));
    let next = store.list(&TaskFilter::new().cursor(page.next.unwrap())).unwrap();
    assert_eq!((ids_of(&next.items), next.next), (vec![ids[0]], None));
}

#[test]
fn a_dismissed_failure_is_still_found_among_the_failures() {
    let store = temporary();
    let id = start(&store, "switch over");
    store.fail(id, "no answer").unwrap();
    finished(&store, "another");
    interrupted(&store, "another");
    store.dismiss_all(None, "ann").unwrap();
    let failures = TaskFilter::new().outcomes(Outcomes::FAILED);
    assert_eq!(ids_of(&store.list(&failures).unwrap().items), []);
    for dismissed in [Dismissed::Included, Dismissed::Only] {
        assert_eq!(ids_of(&store.list(&failures.clone().dismissed(dismissed)).unwrap().items), [id]);
    }
}

#[test]
fn a_page_has_from_1_to_1000_rows() {
    let store = temporary();
    store.batch(|batch| (0..1_001).try_for_each(|_| batch.start_detached(NewTask::new("t")).map(drop))).unwrap();
    for limit in [0, 1_001, u32::MAX] {
        let error = store.list(&TaskFilter::new().limit(limit)).unwrap_err();
        let text = format!("limit is \"{limit}\"; it must be a whole number from 1 to 1000");
        assert_eq!(error.to_string(), text);
        assert!(matches!(error, Error::OutOfRange { field: "limit", min: 1, max: 1_000, .. }));
    }
    for limit in [1, 1_000] {
        let page = store.list(&TaskFilter::new().limit(limit)).unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (limit as usize, true));
    }
}

#[test]
fn a_page_and_its_cursor_survive_json() {
    let store = temporary();
    finished(&store, "1");
    start(&store, "2");
    let page = store.list(&TaskFilter::new().limit(1)).unwrap();
    let json = serde_json::to_string(&page).unwrap();
    assert_eq!(serde_json::from_str::<taskstore::Page<taskstore::Task>>(&json).unwrap(), page);
}
