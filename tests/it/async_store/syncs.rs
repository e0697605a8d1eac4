//! How often the disk is asked to sync by futures that write at the same time, counted from outside by strace.

use std::env;

use taskstore::{AsyncTaskStore, Level, NewTask, OpenOptions};
use tokio::task::JoinSet;

use crate::support::syncs::count;

const TASKS: &str = "TASKSTORE_TEST_TASKS";
const LIFECYCLES: &str = "TASKSTORE_TEST_LIFECYCLES";

/// Not a test of its own: the process that is counted.
#[test]
fn the_counted_process() {
    let Ok(tasks) = env::var(TASKS) else { return };
    let number = |text: String| text.parse::<usize>().unwrap();
    let (tasks, lifecycles) = (number(tasks), number(env::var(LIFECYCLES).unwrap()));
    super::runtime().block_on(async {
        let store = AsyncTaskStore::from(OpenOptions::new().open_temporary().unwrap());
        let mut writers = JoinSet::new();
        for _ in 0..tasks {
            let store = store.clone();
            writers.spawn(async move {
                for _ in 0..lifecycles / tasks {
                    lifecycle(&store).await;
                }
            });
        }
        writers.join_all().await;
        store.close().await.unwrap();
    });
}

/// Five verbs.
async fn lifecycle(store: &AsyncTaskStore) {
    let id = store.start_detached(NewTask::new("Create standby").performed_by("ann")).await.unwrap();
    for text in ["one", "two", "three"] {
        store.message(id, Level::Info, text).await.unwrap();
    }
    store.finish(id).await.unwrap();
}

/// The syncs of a verb where so many write at the same time, without those of opening and closing.
fn syncs_of_a_verb(tasks: usize, lifecycles: usize) -> Option<f64> {
    let counted = |lifecycles: usize| {
        let (tasks, lifecycles) = (tasks.to_string(), lifecycles.to_string());
        count("async_store::syncs::the_counted_process", &[(TASKS, &tasks), (LIFECYCLES, &lifecycles)])
    };
    let (few, many) = (counted(tasks)?, counted(tasks + lifecycles)?);
    Some((many - few) as f64 / (5 * lifecycles) as f64)
}

/// The bound is that of sixteen threads.
#[test]
fn sixty_four_futures_share_their_syncs() {
    let Some(syncs) = syncs_of_a_verb(64, 1_280) else { return };
    assert!(syncs <= 0.12, "{syncs} syncs a verb");
}

/// The control, which is also a promise: no more syncs than in a thread.
#[test]
fn a_future_alone_shares_with_nobody() {
    let Some(syncs) = syncs_of_a_verb(1, 200) else { return };
    assert!((1.0..=1.02).contains(&syncs), "{syncs} syncs a verb");
}
