//! What happens bears the time at which it did.

use std::time::Duration;

use taskstore::trace_layer::TaskLayer;
use tracing::{info, info_span};

use super::{events, only, subscriber};
use crate::support::Nanoseconds as _;
use crate::support::{ManualClock, messages, options};

#[test]
fn each_event_bears_its_own_time_however_late_it_is_written() {
    let clock = ManualClock::at_ns(1_000);
    let store = options().clock(clock.clone()).open_temporary().unwrap();
    let (dispatch, handle) = subscriber(TaskLayer::builder(&store).keep_first(2).keep_last(1));
    // While a batch is open nothing is written.
    store
        .batch(|_| {
            tracing::dispatcher::with_default(&dispatch, || {
                let task = info_span!("a", task.title = "t").entered();
                let run = info_span!(parent: None, "b", system_task.name = "job").entered();
                for _ in 0..5 {
                    clock.advance_ns(10);
                    info!(parent: &*task, "said");
                    info!(parent: &*run, "said");
                }
                clock.advance_ns(-1_000);
                drop(run);
                clock.advance_ns(5);
                drop(task);
            });
            clock.advance_ns(1_000_000);
            Ok::<_, taskstore::Error>(())
        })
        .unwrap();
    handle.shutdown();

    let (task, ns) = (only(&store), |time: chrono::DateTime<chrono::Utc>| time.timestamp_nanos_opt().unwrap());
    assert_eq!((ns(task.started), ns(task.updated), task.finished.map(ns)), (1_000, 1_050, Some(1_050)));
    let times: Vec<_> = messages(&store, task.id).into_iter().map(|said| (ns(said.time), said.text)).collect();
    let said = |time, text: &str| (time, text.to_owned());
    assert_eq!(
        times,
        [said(1_010, "said"), said(1_020, "said"), said(1_040, "… 2 messages left out"), said(1_050, "said")]
    );
    let times: Vec<_> = events(&store, "job", None).into_iter().map(|said| ns(said.time)).collect();
    assert_eq!(times, [1_010, 1_020, 1_040, 1_050]);
    let job = store.system_tasks().list(&Default::default()).unwrap().items.remove(0).shown_run.unwrap();
    assert_eq!((ns(job.started), job.duration), (1_000, Some(Duration::from_nanos(50))));
    assert!(job.finished.unwrap() >= job.started);
}
