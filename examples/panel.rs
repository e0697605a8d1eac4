//! An application that does its work in the background, and nests both APIs into its own server, so that a panel shows that work:
//! `cargo run --example panel --features http,tokio`.
//!
//! Several jobs run at a time. One fails, one is cancelled, and one, a background job, runs when somebody asks for it. Then the
//! application asks its own server as a panel does, prints what that shows, and ends.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::request::Parts;
use axum::{Router, routing::get};
use serde_json::{Value, json};
use taskstore::http::{self, Rights, Unauthenticated, User};
use taskstore::{AsyncTaskStore, ChangeToken, NewTask, Progress, RunError, SystemTaskStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    // A real program names its file: AsyncTaskStore::open("tasks.db").await?
    let store = AsyncTaskStore::open_temporary().await?;
    store.system_tasks().register("fetch_mail", "Fetches the mail").await?;

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let panel = Panel { address: listener.local_addr()?, user: "ann" };
    let application = application(&store)?;
    let server = tokio::spawn(async move { axum::serve(listener, application).await });

    work(&store).await?;
    let uuid = store.system_tasks().find("fetch_mail", None).await?.ok_or("it was registered")?;
    panel.ask("POST", &format!("/api/v3/events/system_tasks/{uuid}/run/")).await?;
    let is_fetched = async || Ok(store.system_tasks().retrieve(uuid).await?.status() == SystemTaskStatus::Successful);
    until(&store, is_fetched).await?;

    show(&panel).await?;
    server.abort();
    store.close().await?;
    Ok(())
}

/// The jobs: three that go well, all at the same time, one that fails, and one that somebody cancels.
async fn work(store: &AsyncTaskStore) -> Result<()> {
    let copies = ["mail.example.org", "www.example.org", "db.example.org"].map(|host| {
        let store = store.clone();
        tokio::spawn(async move { copy(&store, host).await })
    });
    let switch_over = store.run(NewTask::new("Switch over").performed_by("ben"), |task| async move {
        task.info("asking the standby").await?;
        Err::<(), Box<dyn Error + Send + Sync>>("no answer from the standby".into())
    });
    let asked = store.clone();
    let rebuild = tokio::spawn(async move {
        let work = asked.run(NewTask::new("Rebuild the index").performed_by("ann"), |task| async move {
            task.info("reading 9,000,000 rows").await?;
            std::future::pending::<Result<()>>().await
        });
        work.await
    });

    // The error is the work's own, and is recorded by now.
    assert!(matches!(switch_over.await, Err(RunError::Work { .. })));
    for copy in copies {
        copy.await??;
    }
    // Whoever drops a future, by an abort, a timeout or `select!`, leaves an interrupted task, not a lost one.
    until(store, async || Ok(store.counts(None).await?.in_progress == 1)).await?;
    rebuild.abort();
    assert!(rebuild.await.is_err_and(|ended| ended.is_cancelled()));
    until(store, async || Ok(store.counts(None).await?.interrupted == 1)).await
}

/// A job with a guard, as it is held across awaits.
async fn copy(store: &AsyncTaskStore, host: &str) -> Result<()> {
    let task = store.start(NewTask::new(format!("Copy {host}")).performed_by("ann")).await?;
    for file in 1..=3 {
        tokio::task::yield_now().await; // the copying
        task.progress(&Progress::new(file).of(3)).await?;
        task.info(format!("file {file} of 3")).await?;
    }
    Ok(task.finish().await?)
}

/// Waits until it is so: it is looked after each change of the store.
async fn until(store: &AsyncTaskStore, is_so: impl AsyncFn() -> Result<bool>) -> Result<()> {
    let mut seen: ChangeToken = store.change_token().await?; // before the first reading
    while !is_so().await? {
        seen = store.wait_for_change(seen, Duration::from_secs(60)).await?.ok_or("it does not come about")?;
    }
    Ok(())
}

/// The application's own routes, and below `/history` those of the store.
fn application(store: &AsyncTaskStore) -> Result<Router> {
    let authenticator = |request: &Parts| match request.headers.get("x-user").map(|name| name.to_str()) {
        Some(Ok(name @ ("ann" | "ben"))) => Ok(User::new(name, Rights::ALL)),
        _ => Err(Unauthenticated::NoCredentials),
    };
    let jobs = store.clone();
    let fetch_mail = move |asked: http::RunRequest| {
        let jobs = jobs.clone();
        tokio::spawn(async move {
            let fetched = jobs
                .system_tasks()
                .run("fetch_mail", None, |run| async move { run.info("fetched", json!({"messages": 3})).await });
            if let Err(error) = fetched.await {
                eprintln!("{} asked for mail: {error}", asked.user);
            }
        });
    };
    let options = http::Options::new(authenticator).allowed_host("panel.example.org")?.on_run("fetch_mail", fetch_mail);
    let history = http::router(store.store().clone(), options);
    Ok(Router::new().route("/", get("the application's own page")).nest("/history", history))
}

/// What a panel shows, by the answers of the server alone: each task with its state and what it said last, and each background job.
async fn show(panel: &Panel) -> Result<()> {
    let list = panel.ask("POST", "/task/list").await?;
    let tasks = list.pointer("/result/tasks").and_then(Value::as_array).ok_or("no tasks")?;
    let mut shown: Vec<_> = tasks.iter().map(|task| line(task, "title", "state", "message")).collect();
    shown.sort();
    println!("{}", shown.join("\n"));
    let expected = [
        "Copy db.example.org: End (file 3 of 3)",
        "Copy mail.example.org: End (file 3 of 3)",
        "Copy www.example.org: End (file 3 of 3)",
        "Rebuild the index: Failed (cancelled)",
        "Switch over: Failed (no answer from the standby)",
    ];
    assert_eq!(shown, expected);

    let list = panel.ask("GET", "/api/v3/events/system_tasks/").await?;
    let jobs = list.pointer("/results").and_then(Value::as_array).ok_or("no system tasks")?;
    let shown: Vec<_> = jobs.iter().map(|job| line(job, "name", "status", "event")).collect();
    println!("{}", shown.join("\n"));
    assert_eq!(shown, ["fetch_mail: successful (fetched)"]);

    let refused = Panel { user: "nobody", ..*panel }.ask("POST", "/task/list").await?;
    println!("nobody: {refused}");
    assert_eq!(refused.get("successful"), Some(&json!(false)));
    Ok(())
}

/// One row: its name, its state, and what was said last.
fn line(row: &Value, name: &str, state: &str, text: &str) -> String {
    let text_of = |value: &Value, member| value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
    let messages = row.get("messages").and_then(Value::as_array);
    let last = messages.and_then(|all| all.last()).map(|last| text_of(last, text)).unwrap_or_default();
    format!("{}: {} ({last})", text_of(row, name), text_of(row, state))
}

/// Somebody's panel.
#[derive(Clone, Copy)]
struct Panel {
    address: SocketAddr,
    user: &'static str,
}

impl Panel {
    /// The JSON of an answer, or nothing if it has none.
    async fn ask(&self, method: &str, path: &str) -> Result<Value> {
        let Self { address, user } = self;
        let mut stream = TcpStream::connect(address).await?;
        let head = format!("{method} /history{path} HTTP/1.1\r\nhost: {address}\r\nx-user: {user}\r\n");
        stream.write_all(format!("{head}content-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("an answer has a head")?;
        Ok(if body.is_empty() { Value::Null } else { serde_json::from_str(body)? })
    }
}
