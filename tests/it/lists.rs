//! Lists against a plain vector.

use proptest::prelude::*;
use proptest::sample::Index;
use taskstore::{
    ConfigurationFilter, ConfigurationId, Cursor, Dismissed, Error, NewTask, Order, Outcome, Outcomes, TaskFilter,
    TaskId, TaskStore,
};

use crate::support::{configuration_id, finished, interrupted, start, temporary};

/// A task as a list sees it.
#[derive(Clone, Debug)]
struct Row {
    configuration: Option<u8>,
    outcome: Option<Outcome>,
    dismissed: bool,
    deleted: bool,
}

const CONFIGURATIONS: u8 = 3;

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let outcome = prop::option::weighted(
        0.8,
        prop::sample::select(&[Outcome::Finished, Outcome::Failed, Outcome::Interrupted][..]),
    );
    let row = (prop::option::of(0..CONFIGURATIONS), outcome, any::<bool>(), prop::bool::weighted(0.2));
    let row = row.prop_map(|(configuration, outcome, dismissed, deleted)| Row {
        configuration,
        outcome,
        dismissed: dismissed && outcome.is_some(),
        deleted: deleted && outcome.is_some(),
    });
    prop::collection::vec(row, 0..30)
}

fn outcomes() -> impl Strategy<Value = Outcomes> {
    let singles = [Outcomes::IN_PROGRESS, Outcomes::FINISHED, Outcomes::FAILED, Outcomes::INTERRUPTED];
    let joined = prop::sample::subsequence(singles.to_vec(), 1..=4)
        .prop_map(|some| some.into_iter().reduce(|one, other| one | other).unwrap());
    prop_oneof![Just(Outcomes::ANY), joined]
}

fn filters() -> impl Strategy<Value = TaskFilter> {
    let dismissed = prop::sample::select(&[Dismissed::Hidden, Dismissed::Included, Dismissed::Only][..]);
    let order = prop::sample::select(&[Order::NewestFirst, Order::OldestFirst][..]);
    // One more than there are: that is the id of none.
    (prop::option::of(0..=CONFIGURATIONS), dismissed, outcomes(), order).prop_map(
        |(configuration, dismissed, outcomes, order)| {
            let filter = TaskFilter::new().dismissed(dismissed).outcomes(outcomes).order(order);
            configuration.map_or(filter.clone(), |number| filter.configuration(id_of(number)))
        },
    )
}

/// Configurations are added in order, so that their ids are known.
fn id_of(configuration: u8) -> ConfigurationId {
    configuration_id(i64::from(configuration) + 1)
}

/// Records the rows; of the configurations the last is deleted if `delete_last`.
fn record(rows: &[Row], delete_last: bool) -> (TaskStore, Vec<TaskId>) {
    let store = TaskStore::open_in_memory().unwrap();
    for number in 0..CONFIGURATIONS {
        store.configurations().add(number.to_string()).unwrap();
    }
    let mut ids = Vec::new();
    for row in rows {
        let new = NewTask::new("one of many");
        let task =
            store.start(row.configuration.map_or(new.clone(), |number| new.configuration(id_of(number)))).unwrap();
        let id = task.id();
        match row.outcome {
            None => drop(task.detach()),
            Some(Outcome::Finished) => task.finish().unwrap(),
            Some(Outcome::Failed) => task.fail("because").unwrap(),
            Some(Outcome::Interrupted) => drop(task),
        }
        if row.dismissed {
            store.dismiss(id, "ann").unwrap();
        }
        ids.push(id);
    }
    for (row, id) in rows.iter().zip(&ids) {
        if row.deleted {
            store.delete(*id).unwrap();
        }
    }
    if delete_last {
        store.configurations().delete(id_of(CONFIGURATIONS - 1)).unwrap();
    }
    (store, ids)
}

/// The ids that a filter without a page must give.
fn expected(rows: &[Row], ids: &[TaskId], filter: &TaskFilter, delete_last: bool) -> Vec<TaskId> {
    let shown = rows.iter().zip(ids).filter(|(row, _)| {
        let of_configuration = match filter.configuration {
            ConfigurationFilter::One(id) => {
                let gone = delete_last && id == id_of(CONFIGURATIONS - 1);
                !gone && row.configuration.map(id_of) == Some(id)
            }
            _ => true,
        };
        let by_dismissal = match filter.dismissed {
            Dismissed::Hidden => !row.dismissed,
            Dismissed::Included => true,
            Dismissed::Only => row.dismissed,
        };
        !row.deleted && of_configuration && by_dismissal && filter.outcomes.contains(row.outcome)
    });
    let mut ids: Vec<_> = shown.map(|(_, id)| *id).collect();
    if filter.order == Order::NewestFirst {
        ids.reverse();
    }
    ids
}

fn ids_of(page: &taskstore::Page<taskstore::Task>) -> Vec<TaskId> {
    page.items.iter().map(|task| task.id).collect()
}

proptest! {
    #[test]
    fn every_filter_gives_what_a_plain_vector_gives(
        rows in rows(),
        filters in prop::collection::vec(filters(), 8),
        delete_last: bool,
    ) {
        let (store, ids) = record(&rows, delete_last);
        for filter in filters {
            let page = store.list(&filter).unwrap();
            prop_assert_eq!(ids_of(&page), expected(&rows, &ids, &filter, delete_last), "{:?}", filter);
            prop_assert_eq!(page.next, None);
            for task in page.items {
                prop_assert_eq!(&task, &store.task(task.id).unwrap());
            }
        }
    }

    #[test]
    fn a_walk_through_pages_of_any_size_meets_every_task_once(
        rows in rows(),
        filter in filters(),
        limits in prop::collection::vec(1..5_u32, 31),
    ) {
        let (store, ids) = record(&rows, false);
        let whole = expected(&rows, &ids, &filter, false);
        let mut met = Vec::new();
        let mut after: Option<Cursor> = None;
        for limit in limits {
            let page = filter.clone().limit(limit);
            // A cursor is text, which may have gone through an URL.
            let page = after.iter().fold(page, |page, cursor| page.cursor(cursor.to_string().parse().unwrap()));
            let page = store.list(&page).unwrap();
            met.extend(ids_of(&page));
            prop_assert!(page.items.len() <= limit as usize);
            // There is a next page if and only if something is on it.
            prop_assert_eq!(page.next.is_some(), met.len() < whole.len());
            after = page.next;
            if after.is_none() { break; }
        }
        prop_assert_eq!(met, whole);
    }

    #[test]
    fn rows_that_come_and_go_between_two_pages_hide_and_repeat_no_other(
        rows in rows(),
        filter in filters(),
        gone in prop::collection::vec(any::<Index>(), 0..10),
        cut in 1..6_u32,
    ) {
        let (store, ids) = record(&rows, false);
        let whole = expected(&rows, &ids, &filter, false);
        let first = store.list(&filter.clone().limit(cut)).unwrap();
        let mut rows = rows;
        // The last task of the page, whose place the cursor keeps, goes too.
        let last = first.items.last().and_then(|last| ids.iter().position(|id| *id == last.id));
        let chosen = gone.iter().filter(|_| !ids.is_empty()).map(|index| index.index(ids.len()));
        for number in chosen.chain(last) {
            if rows[number].outcome.is_some() && !rows[number].deleted {
                store.delete(ids[number]).unwrap();
                rows[number].deleted = true;
            }
        }
        let late = start(&store, "late");
        let rest = first.next.clone().map_or(Vec::new(), |next| ids_of(&store.list(&filter.clone().cursor(next)).unwrap()));
        let still = expected(&rows, &ids, &filter, false);
        let behind: Vec<_> = whole.iter().skip(first.items.len()).copied().filter(|id| still.contains(id)).collect();
        let arrives = first.next.is_some() && filter.order == Order::OldestFirst && filter.configuration == ConfigurationFilter::Any
            && filter.dismissed != Dismissed::Only && filter.outcomes.contains(None);
        prop_assert_eq!(rest, behind.into_iter().chain(arrives.then_some(late)).collect::<Vec<_>>());
    }
}

#[test]
fn the_default_shows_a_hundred_undismissed_tasks_newest_first() {
    let store = temporary();
    let ids: Vec<_> = (0..102).map(|n| start(&store, &n.to_string())).collect();
    for id in &ids[100..] {
        store.finish(*id).unwrap();
    }
    store.dismiss(ids[101], "ann").unwrap();
    let page = store.list(&TaskFilter::default()).unwrap();
    assert!(ids_of(&page).iter().eq(ids[1..=100].iter().rev()));
    let next = store.list(&TaskFilter::new().cursor(page.next.unwrap())).unwrap();
    assert_eq!((ids_of(&next), next.next), (vec![ids[0]], None));
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
    assert_eq!(ids_of(&store.list(&failures.clone()).unwrap()), []);
    for dismissed in [Dismissed::Included, Dismissed::Only] {
        assert_eq!(ids_of(&store.list(&failures.clone().dismissed(dismissed)).unwrap()), [id]);
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
fn a_cursor_of_the_other_order_and_what_is_none_are_refused_by_name() {
    let store = temporary();
    for title in ["1", "2", "3"] {
        start(&store, title);
    }
    let cursor = |order| store.list(&TaskFilter::new().order(order).limit(1)).unwrap().next.unwrap();
    let refused = |order, cursor: Cursor| {
        let error = store.list(&TaskFilter::new().order(order).cursor(cursor.clone())).unwrap_err();
        let named = matches!(&error, Error::InvalidCursor { cursor: named } if *named == cursor.to_string());
        assert!(named, "{error:?}");
        assert_eq!(error.to_string(), format!("the cursor {:?} does not belong to this list", cursor.to_string()));
    };
    let (newest, oldest) = (cursor(Order::NewestFirst), cursor(Order::OldestFirst));
    refused(Order::OldestFirst, newest.clone());
    refused(Order::NewestFirst, oldest);
    let prefix = newest.to_string().trim_end_matches(char::is_numeric).to_owned();
    let numbers = ["", " 1", "1 ", "1.0", "0x1", "9223372036854775808", "1' OR 1=1 --", "٣"];
    let garbage = ["", "1", "next", "{}", "\0", "%", "next.0.0.1", "next...", "previous.0.0.1"];
    for text in numbers.map(|number| format!("{prefix}{number}")).into_iter().chain(garbage.map(str::to_owned)) {
        for order in [Order::NewestFirst, Order::OldestFirst] {
            refused(order, text.parse().unwrap());
        }
    }
}

#[test]
fn a_cursor_is_taken_only_as_it_was_given_out() {
    let store = temporary();
    for title in ["1", "2", "3"] {
        start(&store, title);
    }
    let given = store.list(&TaskFilter::new().limit(1)).unwrap().next.unwrap().to_string();
    // It lies before task 3.
    assert!(given.ends_with(".2"), "{given}");
    for number in ["+2", "02", "002"] {
        let spelt = given.replace(".2", &format!(".{number}"));
        let answer = store.list(&TaskFilter::new().cursor(spelt.parse().unwrap()));
        assert!(matches!(&answer, Err(Error::InvalidCursor { cursor }) if *cursor == spelt), "{spelt}: {answer:?}");
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

#[test]
fn each_list_is_one_snapshot_while_another_thread_writes_pairs() {
    let store = temporary();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for pair in 0..150 {
                let new = || NewTask::new(pair.to_string());
                let ids =
                    store.batch(|batch| Ok::<_, Error>([batch.start_detached(new())?, batch.start_detached(new())?]));
                let ids = ids.unwrap();
                store.batch(|batch| ids.iter().try_for_each(|id| batch.finish(*id))).unwrap();
                store.batch(|batch| ids.iter().try_for_each(|id| batch.dismiss(*id, "ann"))).unwrap();
            }
        });
        let mut lists = 0;
        while !writer.is_finished() || lists == 0 {
            for dismissed in [Dismissed::Hidden, Dismissed::Included, Dismissed::Only] {
                let tasks = store.list(&TaskFilter::new().dismissed(dismissed).limit(1_000)).unwrap().items;
                for pair in tasks.chunks(2) {
                    let [one, other] = pair else { panic!("half a pair: {pair:?}") };
                    let seen = |task: &taskstore::Task| (task.title.clone(), task.outcome, task.dismissed_by.clone());
                    assert_eq!(seen(one), seen(other));
                }
                lists += 1;
            }
        }
        writer.join().unwrap();
    });
    assert_eq!(store.list(&TaskFilter::new().dismissed(Dismissed::Only).limit(1_000)).unwrap().items.len(), 300);
}
