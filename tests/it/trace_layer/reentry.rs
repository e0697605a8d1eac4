//! What is logged while the layer works is not recorded.

use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use taskstore::trace_layer::TaskLayer;
use taskstore::{Clock, Outcome};
use tracing::{info, info_span};

use super::{shown, traced_with};
use crate::support::options;

static ASKED: AtomicUsize = AtomicUsize::new(0);

/// Logs, and does work that is a task, whenever it is asked.
#[derive(Debug)]
struct Talkative;

impl Clock for Talkative {
    fn now(&self) -> DateTime<Utc> {
        ASKED.fetch_add(1, Ordering::SeqCst);
        info!("the time was asked");
        info_span!("clock", task.title = "clock").in_scope(|| info!("tick"));
        Utc::now()
    }
}

#[derive(Debug)]
struct Shown;

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        info!("a value was shown");
        f.write_str("value")
    }
}

#[test]
fn a_clock_a_redaction_and_a_value_that_log_are_not_recorded() {
    let store = options().clock(Talkative).open_temporary().unwrap();
    let redacted = std::sync::Arc::new(AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&redacted);
    let builder = TaskLayer::builder(&store).redact(move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        info!("redacting");
        None
    });
    let before = ASKED.load(Ordering::SeqCst);
    traced_with(builder, || {
        let _task = info_span!("a", task.title = "t").entered();
        info!(shown = %Shown, "said");
        info!("again");
    });
    // They were called, so that they have logged.
    assert!(ASKED.load(Ordering::SeqCst) >= before + 4 && redacted.load(Ordering::SeqCst) >= 4);
    let texts = vec!["said shown=value".to_owned(), "again".to_owned()];
    assert_eq!(shown(&store), [("t".to_owned(), Some(Outcome::Finished), texts)]);
}
