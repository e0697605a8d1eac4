//! Pages of tasks with their messages, and all tasks at once.

use taskstore::{TaskFilter, TaskWithMessages};

use super::{Filled, Kind, page};
use crate::measure::{Measured, Run};
use crate::raw::panel::{Task, Way};

/// A hundred tasks of the largest configuration.
pub fn of_configuration_to_raw(run: &Run) -> Measured {
    let filled = run.panel(Kind::AllVisible, run.large());
    let filter = hundred_of_configuration(&filled);
    let configuration = filled.largest().get();
    to_raw(run, &filled, &filter, |way| filled.raw.newest_of(configuration, filter.limit, way))
}

pub fn of_configuration_growth(run: &Run) -> Measured {
    compared(run, Kind::AllVisible, hundred_of_configuration)
}

fn hundred_of_configuration(filled: &Filled) -> TaskFilter {
    TaskFilter::new().configuration(filled.largest()).limit(100)
}

pub fn newest_to_raw(run: &Run, kind: Kind) -> Measured {
    let filled = run.panel(kind, run.large());
    to_raw(run, &filled, &page(), |way| filled.raw.newest(page().limit, way))
}

pub fn newest_growth(run: &Run, kind: Kind) -> Measured {
    compared(run, kind, |_| page())
}

/// The newest page of one store to that of one in which nothing is dismissed: the same tasks, with others between.
pub fn newest_to_all_visible(run: &Run, kind: Kind) -> Measured {
    let (filled, visible) = (run.panel(kind, run.large()), run.panel(Kind::AllVisible, run.large()));
    run.compare(|| run.cpu(|| filled.list(&page())), || run.cpu(|| visible.list(&page())))
}

/// The page in the middle to the first one, a task and a message each: they are other tasks, which say more or less.
pub fn middle_to_first(run: &Run) -> Measured {
    let filled = run.panel(Kind::MostDismissed, run.large());
    let (first, middle) = (page(), filled.middle(&page()));
    let rows = |filter: &TaskFilter| {
        let tasks = filled.list(filter).items;
        let rows = tasks.len() + tasks.iter().map(|task| task.messages.len()).sum::<usize>();
        f64::from(u32::try_from(rows).expect("a page is small"))
    };
    let (rows_of_first, rows_of_middle) = (rows(&first), rows(&middle));
    let each = |filter: &TaskFilter, rows| run.cpu(|| filled.list(filter)) / rows;
    let compared = run.compare(|| each(&middle, rows_of_middle), || each(&first, rows_of_first));
    compared.note(format!("a row; {rows_of_middle} and {rows_of_first} rows"))
}

pub fn all_to_raw(run: &Run) -> Measured {
    let filled = run.panel(Kind::AllVisible, 100_000);
    to_raw(run, &filled, &all(), |way| filled.raw.all(way))
}

pub fn all_growth(run: &Run) -> Measured {
    let (large, small) = (run.panel(Kind::AllVisible, 100_000), run.panel(Kind::AllVisible, 10_000));
    run.compare(|| run.cpu(|| large.list(&all())), || run.cpu(|| small.list(&all())))
}

fn all() -> TaskFilter {
    TaskFilter::new().limit(u32::MAX)
}

/// A list of the large store to that of one with a thousand tasks.
fn compared(run: &Run, kind: Kind, filter: impl Fn(&Filled) -> TaskFilter) -> Measured {
    let (large, small) = (run.panel(kind, run.large()), run.panel(kind, 1_000));
    let (of_large, of_small) = (filter(&large), filter(&small));
    run.compare(|| run.cpu(|| large.list(&of_large)), || run.cpu(|| small.list(&of_small)))
}

/// To the quicker way by hand.
fn to_raw(run: &Run, filled: &Filled, filter: &TaskFilter, raw: impl Fn(Way) -> Vec<Task>) -> Measured {
    let (way, seconds) = quicker(run, &raw);
    assert_same(&filled.list(filter).items, &raw(way));
    let compared = run.compare(|| run.cpu(|| filled.list(filter)), || run.cpu(|| raw(way)));
    compared.note(format!("raw: {way:?} in {:.3} ms", 1e3 * seconds))
}

/// The quicker way, and how long it takes.
pub fn quicker<T>(run: &Run, raw: impl Fn(Way) -> T) -> (Way, f64) {
    let [first, second] = [Way::EachTask, Way::Merge].map(|way| {
        drop(raw(way));
        (way, run.cpu(|| raw(way)))
    });
    if first.1 <= second.1 { first } else { second }
}

fn assert_same(ours: &[TaskWithMessages], raw: &[Task]) {
    assert_eq!(ours.len(), raw.len());
    assert!(raw.iter().zip(ours).all(|(raw, ours)| raw == ours), "both read the same");
}
