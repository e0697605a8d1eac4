//! Lists against a plain vector.

use std::cmp::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use taskstore::{
    Direction, PageNumber, RunOptions, SortField, SortKey, SystemTask, SystemTaskFilter, SystemTaskStatus, TaskStore,
};
use uuid::Uuid;

use super::{NOON_NS, options_at_noon};
use crate::support::Nanoseconds as _;

/// A system task as a list sees it. Times are in seconds behind noon.
#[derive(Clone, Debug)]
struct Row {
    name: &'static str,
    uid: Option<&'static str>,
    description: &'static str,
    registered: bool,
    run: Option<PlainRun>,
}

#[derive(Clone, Debug)]
struct PlainRun {
    status: SystemTaskStatus,
    interrupted: bool,
    started: i64,
    seconds: u32,
    expires_after: Option<u32>,
    in_progress: bool,
}

const NAMES: [&str; 4] = ["a", "ab", "B", "\u{c4}r"];
const UIDS: [Option<&str>; 4] = [None, Some(""), Some("A"), Some("\u{e4}")];
const DESCRIPTIONS: [&str; 3] = ["", "ab", "B% a_"];
const TERMS: [&str; 8] = ["a", "B", "\u{c4}", "ab", "%", "_", "err", "unknown"];

fn runs() -> impl Strategy<Value = PlainRun> {
    (
        prop::sample::select(&SystemTaskStatus::ALL[..]),
        prop::bool::weighted(0.2),
        0..3_i64,
        0..3_u32,
        prop::option::of(0..4_u32),
        prop::bool::weighted(0.15),
    )
        .prop_map(|(status, interrupted, started, seconds, expires_after, in_progress)| PlainRun {
            status: if interrupted { SystemTaskStatus::Error } else { status },
            interrupted,
            started,
            seconds,
            expires_after,
            in_progress,
        })
}

/// At most one of each name and uid, in any order.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let identities: Vec<_> = NAMES.iter().flat_map(|name| UIDS.iter().map(move |uid| (*name, *uid))).collect();
    let identities = prop::sample::subsequence(identities, 0..=16).prop_shuffle();
    identities.prop_flat_map(|identities| {
        let rows = identities.into_iter().map(|(name, uid)| {
            let row = (prop::sample::select(&DESCRIPTIONS[..]), any::<bool>(), prop::option::weighted(0.9, runs()));
            row.prop_map(move |(description, registered, run)| Row {
                name,
                uid,
                description,
                registered: registered && uid.is_none(),
                run,
            })
        });
        rows.collect::<Vec<_>>()
    })
}

fn sort_keys() -> impl Strategy<Value = Vec<SortKey>> {
    let direction = prop::sample::select(&[Direction::Ascending, Direction::Descending][..]);
    let key = (prop::sample::select(&SortField::ALL[..]), direction);
    prop::collection::vec(key.prop_map(|(field, direction)| SortKey { field, direction }), 0..6)
}

fn filters() -> impl Strategy<Value = SystemTaskFilter> {
    (
        prop::option::weighted(0.2, prop::sample::select(&NAMES[..])),
        prop::option::weighted(0.2, prop::sample::select(&["", "A", "\u{e4}"][..])),
        prop::option::weighted(0.3, prop::sample::select(&SystemTaskStatus::ALL[..])),
        prop::option::weighted(0.3, prop::collection::vec(prop::sample::select(&TERMS[..]), 0..3)),
        sort_keys(),
    )
        .prop_map(|(name, uid, status, terms, sort)| {
            let mut filter = SystemTaskFilter::new().sort(sort).search(terms.unwrap_or_default().join(", "));
            filter.name = name.map(str::to_owned);
            filter.uid = uid.map(str::to_owned);
            filter.status = status;
            filter
        })
}

/// Records the rows, and gives them with their uuids. What is registered comes first: later it might be refused.
fn record(rows: &[Row]) -> (TaskStore, Vec<(Uuid, Row)>) {
    let (options, clock) = options_at_noon();
    let store = options.open_in_memory().unwrap();
    for row in rows.iter().filter(|row| row.registered) {
        store.system_tasks().register(row.name, row.description).unwrap();
    }
    let uuids = rows.iter().map(|row| {
        let Some(plain) = &row.run else {
            let filter = SystemTaskFilter::new().name(row.name).limit(1_000);
            let tasks = store.system_tasks().list(&filter).unwrap().items;
            return tasks.iter().find(|task| task.uid.is_none()).map_or(Uuid::nil(), |task| task.uuid);
        };
        let options = RunOptions::new().description(row.description);
        let options = match plain.expires_after {
            Some(seconds) => options.expires_after(Duration::from_secs(seconds.into())),
            None => options.never_expires(),
        };
        clock.set_ns(ns(plain.started));
        let run = store.system_tasks().start_with(row.name, row.uid, options).unwrap();
        clock.advance_ns(ns(plain.seconds.into()) - NOON_NS);
        run.set_status(plain.status, [""; 0]).unwrap();
        let uuid = run.uuid();
        match plain {
            PlainRun { in_progress: true, .. } => std::mem::forget(run),
            PlainRun { interrupted: true, .. } => drop(run),
            PlainRun { .. } => run.finish().unwrap(),
        }
        uuid
    });
    let uuids: Vec<_> = uuids.collect();
    let rows = uuids.into_iter().zip(rows.iter().cloned()).filter(|(_, row)| row.registered || row.shown().is_some());
    let rows = rows.collect();
    (store, rows)
}

fn ns(seconds: i64) -> i64 {
    NOON_NS + seconds * super::SECOND_NS
}

impl Row {
    fn shown(&self) -> Option<&PlainRun> {
        self.run.as_ref().filter(|run| !run.in_progress)
    }

    fn status(&self) -> SystemTaskStatus {
        self.shown().map_or(SystemTaskStatus::Unknown, |run| run.status)
    }

    /// In seconds behind noon, when a registered row was registered.
    fn times(&self) -> (i64, i64) {
        self.shown().map_or((0, 0), |run| (run.started, run.started + i64::from(run.seconds)))
    }

    fn expires(&self) -> Option<i64> {
        self.shown().and_then(|run| run.expires_after).map(|after| self.times().1 + i64::from(after))
    }

    fn is_left_by(&self, filter: &SystemTaskFilter) -> bool {
        let texts = [self.name, self.description, self.uid.unwrap_or(""), self.status().as_str()];
        let found = |term: &str| texts.iter().any(|text| text.to_lowercase().contains(&term.to_lowercase()));
        filter.name.as_deref().is_none_or(|name| name == self.name)
            && filter.uid.as_deref().is_none_or(|uid| Some(uid) == self.uid)
            && filter.status.is_none_or(|status| status == self.status())
            && filter.search.split(", ").filter(|term| !term.is_empty()).all(found)
    }
}

/// What is null is greater than all that is not.
fn nulls_last<T: Ord>(one: Option<T>, other: Option<T>) -> Ordering {
    one.is_none().cmp(&other.is_none()).then(one.cmp(&other))
}

fn compare(sort: &[SortKey], (one_uuid, one): &(Uuid, Row), (other_uuid, other): &(Uuid, Row)) -> Ordering {
    let default = [SortField::Name, SortField::Uid].map(|field| SortKey { field, direction: Direction::Ascending });
    let sort = if sort.is_empty() { &default } else { sort };
    let by_key = |key: &SortKey| {
        let ordering = match key.field {
            SortField::Uuid => one_uuid.cmp(other_uuid),
            SortField::Name => one.name.cmp(other.name),
            SortField::Uid => nulls_last(one.uid, other.uid),
            SortField::Description => one.description.cmp(other.description),
            SortField::StartTimestamp => one.times().0.cmp(&other.times().0),
            SortField::FinishTimestamp => one.times().1.cmp(&other.times().1),
            SortField::Duration => one.duration().cmp(&other.duration()),
            SortField::Status => one.status().as_str().cmp(other.status().as_str()),
            SortField::Messages => Ordering::Equal,
            SortField::Expires => nulls_last(one.expires(), other.expires()),
            SortField::Expiring => one.expires().is_some().cmp(&other.expires().is_some()),
        };
        if key.direction == Direction::Descending { ordering.reverse() } else { ordering }
    };
    sort.iter().map(by_key).find(|ordering| ordering.is_ne()).unwrap_or(one_uuid.cmp(other_uuid))
}

impl Row {
    fn duration(&self) -> u32 {
        self.shown().map_or(0, |run| run.seconds)
    }
}

/// The uuids that a filter without a page must give.
fn expected(rows: &[(Uuid, Row)], filter: &SystemTaskFilter) -> Vec<Uuid> {
    let mut rows: Vec<_> = rows.iter().filter(|(_, row)| row.is_left_by(filter)).collect();
    rows.sort_by(|one, other| compare(&filter.sort, one, other));
    rows.into_iter().map(|(uuid, _)| *uuid).collect()
}

fn uuids_of(tasks: &[SystemTask]) -> Vec<Uuid> {
    tasks.iter().map(|task| task.uuid).collect()
}

proptest! {
    #[test]
    fn a_walk_by_pages_of_any_size_gives_the_models_rows_in_its_order(
        rows in rows(),
        filters in prop::collection::vec(filters(), 6),
        limits in prop::collection::vec(1..5_u32, 1..4),
    ) {
        let (store, rows) = record(&rows);
        for filter in filters {
            let expected = expected(&rows, &filter);
            let mut walked = Vec::new();
            let mut limits = limits.iter().cycle();
            let mut page = filter.clone().with_total();
            loop {
                page.limit = *limits.next().unwrap();
                let answer = store.system_tasks().list(&page).unwrap();
                prop_assert_eq!(answer.total, Some(expected.len() as u64));
                prop_assert!(answer.items.len() <= page.limit as usize);
                walked.extend(uuids_of(&answer.items));
                prop_assert!(walked.len() <= expected.len(), "{:?} is not {:?} by {:?}", walked, expected, filter);
                let Some(next) = answer.next else { break };
                page.after = Some(next.to_string().parse().unwrap());
            }
            prop_assert_eq!(&walked, &expected, "by {:?}", filter);
        }
    }

    #[test]
    fn the_pages_by_number_are_the_models(
        rows in rows(),
        filters in prop::collection::vec(filters(), 4),
        size in 1..6_u32,
    ) {
        let (store, rows) = record(&rows);
        for filter in filters {
            let filter = filter.limit(size);
            let expected = expected(&rows, &filter);
            let pages: Vec<_> = expected.chunks(size as usize).collect();
            let last = pages.len().max(1) as u64;
            for number in 1..=last {
                let page = store.system_tasks().list_numbered(&filter, PageNumber::Number(number)).unwrap();
                let rows = pages.get(number as usize - 1).copied().unwrap_or_default();
                prop_assert_eq!(&uuids_of(&page.items), rows);
                let place = page.pagination;
                let before = (number - 1) * u64::from(size);
                let first = if expected.is_empty() { 0 } else { before + 1 };
                prop_assert_eq!((place.start_index, place.end_index), (first, before + rows.len() as u64));
                prop_assert_eq!((place.count, place.current, place.total_pages), (expected.len() as u64, number, last));
                prop_assert_eq!(place.next, if number == last { 0 } else { number + 1 });
                prop_assert_eq!(place.previous, number - 1);
            }
            let page = store.system_tasks().list_numbered(&filter, PageNumber::Last).unwrap();
            prop_assert_eq!(page.pagination.current, last);
            prop_assert!(store.system_tasks().list_numbered(&filter, PageNumber::Number(last + 1)).is_err());
        }
    }

    #[test]
    fn every_row_of_a_list_is_the_one_that_is_retrieved_and_shows_what_was_recorded(rows in rows()) {
        let (store, rows) = record(&rows);
        let tasks = store.system_tasks().list(&SystemTaskFilter::new()).unwrap().items;
        prop_assert_eq!(tasks.len(), rows.len());
        for task in tasks {
            prop_assert_eq!(&store.system_tasks().retrieve(task.uuid).unwrap(), &task);
            let (_, row) = rows.iter().find(|(uuid, _)| *uuid == task.uuid).unwrap();
            prop_assert_eq!((task.name.as_str(), task.uid.as_deref()), (row.name, row.uid));
            prop_assert_eq!((task.description.as_str(), task.status()), (row.description, row.status()));
            prop_assert_eq!(task.registered.is_some(), row.registered);
            let Some(run) = task.shown_run else {
                prop_assert!(row.shown().is_none());
                continue;
            };
            let behind_noon = |time: chrono::DateTime<chrono::Utc>| time.timestamp() - NOON_NS / super::SECOND_NS;
            prop_assert_eq!((behind_noon(run.started), run.finished.map(behind_noon)), (row.times().0, Some(row.times().1)));
            prop_assert_eq!(run.expires.map(behind_noon), row.expires());
            prop_assert_eq!(run.duration, Some(Duration::from_secs(row.duration().into())));
            prop_assert_eq!(Some(run.interrupted), row.shown().map(|run| run.interrupted));
        }
    }
}
