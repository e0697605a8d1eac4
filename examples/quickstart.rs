//! The whole life of a task: `cargo run --example quickstart`.

use taskstore::{Dismissed, Error, NewTask, Progress, TaskFilter, TaskStore};

fn main() -> Result<(), Error> {
    // A real program names its file: TaskStore::open("tasks.db")?
    let store = TaskStore::open_temporary()?;
    let prod = store.configurations().add("prod")?;

    // Record: the guard ends the task. Dropped without an end, it would record an interruption.
    let task = store.start(NewTask::new("Create standby").performed_by("ann").configuration(prod))?;
    task.info("copying 2 data files")?;
    task.progress(&Progress::new(1).of(2).phase("copy"))?;
    task.warn("the network is slow")?;
    task.finish()?;

    // Or let the closure's result end it.
    let failed = store.run(NewTask::new("Switch over").performed_by("ben"), |task| {
        task.info("asking the standby")?;
        Err::<(), Box<dyn std::error::Error + Send + Sync>>("no answer from the standby".into())
    });
    println!("run: {failed:?}");

    // Read: newest first.
    for task in store.list(&TaskFilter::new())?.items {
        println!("{} {} ({}, by {})", task.id, task.title, task.state(), task.performed_by);
        for message in store.messages(task.id, 0, 100)? {
            println!("    {:5} {}", message.level, message.text);
        }
    }

    // Put the failure away. Nothing of it is lost.
    let newest = store.list(&TaskFilter::new())?.items.remove(0);
    store.dismiss(newest.id, "ann")?;
    println!("visible: {}", store.list(&TaskFilter::new())?.items.len());
    println!("in all:  {}", store.list(&TaskFilter::new().dismissed(Dismissed::Included))?.items.len());
    store.close()
}
