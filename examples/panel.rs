//! An application that nests both APIs into its own server, and asks it: `cargo run --example panel --features http`.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use axum::http::request::Parts;
use axum::{Router, routing::get};
use taskstore::http::{self, Rights, Unauthenticated, User};
use taskstore::{NewTask, TaskStore};
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn Error>> {
    // A real program names its file: TaskStore::open("tasks.db")?
    let store = TaskStore::open_temporary()?;
    store.start(NewTask::new("Create standby").performed_by("ann"))?.finish()?;

    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    let application = application(&store)?;
    runtime.spawn(async move { axum::serve(listener, application).await });

    println!("{}", post(address, "/history/task/list", "ann")?);
    println!("{}", post(address, "/history/task/list", "nobody")?);
    Ok(())
}

/// The application's own routes, and below `/history` those of the store.
fn application(store: &TaskStore) -> Result<Router, taskstore::Error> {
    let authenticator = |request: &Parts| match request.headers.get("x-user").map(|name| name.to_str()) {
        Some(Ok(name @ ("ann" | "ben"))) => Ok(User::new(name, Rights::VIEW | Rights::DISMISS)),
        _ => Err(Unauthenticated::NoCredentials),
    };
    let jobs = store.clone();
    let options =
        http::Options::new(authenticator).allowed_host("panel.example.org")?.on_run("fetch_mail", move |asked| {
            let fetched = jobs.system_tasks().run("fetch_mail", None, |run| run.info("fetched 3 mails", ()));
            println!("{} asked for mail: {fetched:?}", asked.user);
        });
    let history = http::router(store.clone(), options);
    Ok(Router::new().route("/", get("the application's own page")).nest("/history", history))
}

/// The answer to a request without a body.
fn post(address: SocketAddr, path: &str, user: &str) -> Result<String, Box<dyn Error>> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\nx-user: {user}\r\ncontent-length: 0\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
