//! What the property-based tester asks: rows of all kinds, below a path of the application, and something registered for
//! every system task. `TASKSTORE_TOKEN=… tester` prints the address.

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde_json::json;
use taskstore::http::{Options, Rights, Unauthenticated, User, router};
use taskstore::{Level, LogEvent, LogLevel, NewTask, RunOptions, SystemTaskStatus, TaskStore};

fn main() -> Result<(), Box<dyn Error>> {
    let store = TaskStore::open_temporary()?;
    record_tasks(&store)?;
    record_system_tasks(&store)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(store))?;
    Ok(())
}

async fn serve(store: TaskStore) -> Result<(), Box<dyn Error>> {
    let token = env::var("TASKSTORE_TOKEN")?;
    let options = Options::new(move |request: &Parts| authenticate(request, &token)).openapi(true);
    let options = ["sync", "never_run"].into_iter().fold(options, |options, name| options.on_run(name, |_| {}));
    let application = Router::new().nest("/history", router(store, options));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/history", listener.local_addr()?);
    Ok(axum::serve(listener, application.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

fn authenticate(request: &Parts, known: &str) -> Result<User, Unauthenticated> {
    let header = request.headers.get(AUTHORIZATION).ok_or(Unauthenticated::NoCredentials)?;
    let (scheme, token) = header.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Unauthenticated::UnsupportedScheme);
    }
    if token == known { Ok(User::new("ann", Rights::ALL)) } else { Err(Unauthenticated::InvalidToken) }
}

fn record_tasks(store: &TaskStore) -> Result<(), Box<dyn Error>> {
    let configuration = store.configurations().add("prod \u{1f512}")?;
    for number in 0..20 {
        let task = NewTask::new(format!("Copy \u{fc} {number}")).performed_by("ann");
        let id = store.start_detached(if number % 2 == 0 { task.configuration(configuration) } else { task })?;
        store.message(id, Level::Warn, "\"\u{7}\n<b>\u{2028}")?;
        match number % 4 {
            0 => store.finish(id)?,
            1 => store.fail(id, "no answer")?,
            2 => {
                store.finish(id)?;
                store.dismiss(id, "bob")?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn record_system_tasks(store: &TaskStore) -> Result<(), Box<dyn Error>> {
    store.system_tasks().register("never_run", "Waits.")?;
    for uid in [None, Some(""), Some("a:b"), Some("\u{fc}\n")] {
        let options = RunOptions::new().description("Gr\u{fc}\u{df}e");
        let options = if uid.is_none() { options.never_expires() } else { options };
        let run = store.system_tasks().start_with("sync", uid, options)?;
        for level in LogLevel::ALL {
            run.log(LogEvent::new(level, "said").attributes(json!({ "": null, "n": u64::MAX, "a": [1.5, {}] }))?)?;
        }
        run.set_status(SystemTaskStatus::Warning, ["look"])?;
        run.finish()?;
    }
    Ok(())
}
