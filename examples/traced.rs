//! A program that uses tokio and tracing already, with three lines added: `cargo run --example traced --features tracing`.

use std::time::Duration;

use taskstore::trace_layer::TaskLayer;
use taskstore::{LogLevel, Outcome, TaskFilter, TaskStore};
use tracing::{Instrument, error, info, info_span, warn};
use tracing_subscriber::prelude::*;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let store = TaskStore::open_temporary()?; // 1: a program names its file: TaskStore::open("tasks.db")?
    let (tasks, writer) = TaskLayer::new(&store)?; // 2
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_ansi(false))
        .with(tasks) // 3
        .init();

    // Each request is a span already; the fields `task.…` say that it is a task, and of whom.
    let (first, second) = tokio::join!(
        deploy("db1").instrument(info_span!("deploy", task.title = "Deploy db1", task.performed_by = "ann")),
        deploy("db2").instrument(info_span!("deploy", task.title = "Deploy db2", task.performed_by = "ben")),
    );
    assert!(first.is_ok() && second.is_err());
    clean_up().instrument(info_span!("clean_up", system_task.name = "clean_up")).await;

    // What a task panel or a command line shows of them.
    writer.flush();
    let mut shown = store.list(&TaskFilter::new())?.items;
    shown.sort_by(|one, other| one.title.cmp(&other.title));
    for task in &shown {
        println!("{} ({}, by {})", task.title, task.state(), task.performed_by);
        for message in store.messages(task.id, 0, 100)? {
            println!("    {:5} {}", message.level, message.text);
        }
    }
    let job = store.system_tasks().list(&Default::default())?.items.remove(0);
    let events = store.system_tasks().events(job.shown_run.as_ref().expect("it has run").id, 0, 100)?;
    let [event] = &events[..] else { panic!("there is one event: {events:?}") };
    println!("{} ({}): {} {}", job.full_name(), job.status(), event.event, event.attributes.as_str());

    let [good, bad] = &shown[..] else { panic!("there are two tasks: {shown:?}") };
    assert_eq!((good.outcome, bad.outcome), (Some(Outcome::Finished), Some(Outcome::Failed)));
    let texts = |task: &taskstore::Task| -> Result<Vec<String>, Failure> {
        Ok(store.messages(task.id, 0, 100)?.into_iter().map(|message| message.text).collect())
    };
    assert_eq!(texts(good)?, [r#"copying host="db1""#, r#"checked host="db1""#]);
    assert_eq!(
        texts(bad)?,
        [r#"copying host="db2""#, r#"the network is slow host="db2" ms=900"#, "giving up", "no answer from db2"]
    );
    assert_eq!((event.level, event.attributes.as_str()), (LogLevel::Info, r#"{"files":3}"#));
    Ok(())
}

async fn deploy(host: &'static str) -> Result<(), Failure> {
    info!(host, "copying");
    tokio::time::sleep(Duration::from_millis(5)).await;
    if host == "db2" {
        warn!(host, ms = 900, "the network is slow");
        let failure = Failure::from("no answer from db2");
        // The field `task.error` fails the task.
        error!(task.error = %failure, "giving up");
        return Err(failure);
    }
    // A span inside, on another thread: what it logs belongs to the task.
    tokio::spawn(async move { info!(host, "checked") }.instrument(info_span!("check"))).await?;
    Ok(())
}

async fn clean_up() {
    info!(files = 3, "removed old files");
}
