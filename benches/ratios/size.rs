//! The bytes that a lifecycle takes on disk.

use std::fs;
use std::path::Path;

use taskstore::{Batch, Durability, Level, NewTask, OpenOptions, Result, TaskStore};

use crate::measure::{Measured, Run};

/// Titles, users and messages as an application that manages databases might write them.
const USERS: [&str; 4] = ["ann", "bernhard", "carla.meyer", "operator"];
const TITLES: [&str; 5] =
    ["Create standby of", "Switch over", "Take a base backup of", "Apply minor update to", "Restart"];
const STEPS: [&str; 3] =
    ["Running pre-checks on", "Copying the data files of", "Waiting for replication to catch up on"];

pub fn of_a_lifecycle(run: &Run) -> Measured {
    let lifecycles = 10_000.min(run.rows_max);
    let directory = tempfile::tempdir().expect("makes a directory");
    let path = directory.path().join("tasks.db");
    let (empty, _) = bytes_after(&path, |_| 0);
    let (full, text) = bytes_after(&path, |store| (0..lifecycles).map(|number| record(store, number)).sum());
    let each = |bytes: u64| f64::from(u32::try_from(bytes).expect("a small file")) / f64::from(count(lifecycles));
    println!("     of which {:.1} bytes are title, user and messages", each(text));
    Measured::Turns(vec![each(full - empty)])
}

fn count(lifecycles: usize) -> u32 {
    u32::try_from(lifecycles).expect("a small number")
}

/// The size of the file once `write` is done and all is checkpointed, and what `write` answers.
fn bytes_after(path: &Path, write: impl FnOnce(&TaskStore) -> u64) -> (u64, u64) {
    let store = OpenOptions::new().durability(Durability::Normal).open(path).expect("opens");
    let answer = write(&store);
    store.close().expect("closes, which merges the -wal");
    assert!(!path.with_extension("db-wal").exists());
    (fs::metadata(path).expect("is there").len(), answer)
}

/// Records one lifecycle with three messages and answers the bytes of its texts.
fn record(store: &TaskStore, number: usize) -> u64 {
    let pick = |of: &[&str], by: usize| of.get(number / by % of.len()).map_or(String::new(), |text| (*text).to_owned());
    let name = format!("db-{}.west", number % 97);
    let (title, user) = (format!("{} {name}", pick(&TITLES, 1)), pick(&USERS, 7));
    let messages = STEPS.map(|step| format!("{step} {name}"));
    let text = title.len() + user.len() + messages.iter().map(String::len).sum::<usize>();
    let write = |batch: &Batch<'_>| -> Result<()> {
        let id = batch.start_detached(NewTask::new(title).performed_by(user))?;
        messages.into_iter().try_for_each(|message| batch.message(id, Level::Info, message))?;
        batch.finish(id)
    };
    store.batch(write).expect("commits");
    u64::from(count(text))
}
