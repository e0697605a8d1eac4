//! System tasks: a whole run through the API, a retrieve and a page of twenty.

use taskstore::{Durability, LogEvent, LogLevel, Result, TaskStore};

use crate::measure::{Measured, Run};
use crate::raw::published::{BY_NAME, BY_NAME_AND_UID};
use crate::raw::system_task::Runs;
use crate::tasks;

mod filled;

pub use filled::Filled;

pub const NAME: &str = "fetch_mail";
pub const EVENTS: [&str; 3] = ["connecting", "fetching 3 messages", "done"];

pub fn whole_run(run: &Run) -> Measured {
    let (store, raw) = (tasks::store(Durability::Full), Runs::open());
    run.compare(|| run.rate(|| record(&store)), || run.rate(|| raw.record()))
}

pub fn retrieve(run: &Run, count: usize) -> Measured {
    let filled = run.system_tasks(count);
    run.compare(|| run.rate(|| filled.retrieve()), || run.rate(|| filled.retrieve_raw()))
}

pub fn page_default(run: &Run, count: usize) -> Measured {
    let filled = run.system_tasks(count);
    let without_total = run.rate(|| filled.page_without_total());
    println!("     a page without its total, of {count}: {:.1} us", 1e6 / without_total);
    run.compare(|| run.rate(|| filled.page("")), || run.rate(|| filled.page_raw(BY_NAME_AND_UID)))
}

pub fn page_by_name(run: &Run, count: usize) -> Measured {
    let filled = run.system_tasks(count);
    run.compare(|| run.rate(|| filled.page("name")), || run.rate(|| filled.page_raw(BY_NAME)))
}

/// A whole run, each call durable by itself: five calls.
fn record(store: &TaskStore) {
    let run = store.system_tasks().start(NAME, Some("ann")).expect("starts");
    for text in EVENTS {
        run.log(event(text).expect("is JSON")).expect("logs");
    }
    run.finish().expect("finishes");
}

fn event(text: &str) -> Result<LogEvent> {
    LogEvent::new(LogLevel::Info, text).attributes(attributes())
}

pub fn attributes() -> serde_json::Value {
    serde_json::json!({"user": "ann", "messages": 3})
}
