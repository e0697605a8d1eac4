//! An application that has the router under a path of its own, knows its users, and runs a system task when asked to:
//! `TOKEN=… VIEWER_TOKEN=… application PATH`. It serves the store at PATH and prints its address.

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use taskstore::http::{Options, Rights, RunRequest, Unauthenticated, User, router};
use taskstore::{SystemTaskStatus, TaskStore};

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args_os().nth(1).ok_or("usage: application PATH")?;
    let store = TaskStore::open(path)?;
    store.system_tasks().register("count", "Counts to 3, when asked to")?;
    store.system_tasks().register("nobody's", "Nothing is registered for it")?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(store))?;
    Ok(())
}

async fn serve(store: TaskStore) -> Result<(), Box<dyn Error>> {
    let users = [(env::var("TOKEN")?, Rights::ALL), (env::var("VIEWER_TOKEN")?, Rights::VIEW)];
    let jobs = store.clone();
    let options = Options::new(move |request: &Parts| authenticate(request, &users)).on_run("count", move |request| {
        if let Err(error) = count(&jobs, &request) {
            eprintln!("{} asked to count: {error}", request.user);
        }
    });
    let application = Router::new().nest("/history", router(store, options));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    let served = application.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, served).await?)
}

fn authenticate(request: &Parts, users: &[(String, Rights)]) -> Result<User, Unauthenticated> {
    let header = request.headers.get(AUTHORIZATION).ok_or(Unauthenticated::NoCredentials)?;
    let (scheme, token) = header.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Unauthenticated::UnsupportedScheme);
    }
    let user = users.iter().find(|(known, _)| known == token);
    user.map(|(_, rights)| User::new("ann", *rights)).ok_or(Unauthenticated::InvalidToken)
}

fn count(store: &TaskStore, request: &RunRequest) -> taskstore::Result<()> {
    let run = store.system_tasks().start(&request.system_task.name, request.system_task.uid.as_deref())?;
    for number in 1..=3 {
        run.info(number.to_string(), serde_json::json!({ "asked_by": request.user }))?;
    }
    run.set_status(SystemTaskStatus::Warning, ["there are more numbers"])?;
    Ok(run.finish()?)
}
