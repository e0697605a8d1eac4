//! `taskstore serve`: both APIs over HTTP.

mod files;
mod lines;
mod log;
mod recovery;
mod stop;

use std::net::SocketAddr;
use std::path::Path;

use axum::Router;
use clap::CommandFactory;
use clap::error::ErrorKind;
use taskstore::http::{self, AnonymousLoopback, BearerTokens, Options, Rights, ServeOptions};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::arguments::Arguments;
use crate::arguments::serve::{Listen, ServeArguments};
use crate::database;
use crate::failure::Failure;
use crate::terminal::print;
use lines::Lines;
use recovery::Recovery;

pub fn serve(db: &Path, arguments: ServeArguments) -> Result<(), Failure> {
    let listen = &arguments.listen;
    let addresses = listen.addresses().map_err(|source| cannot_listen(listen, source))?;
    must_be_for_some(&arguments, &addresses)?;
    let stopped = stop::watch().map_err(|source| Failure::System { action: "catch signals", source })?;
    let connections_max = files::connections_max();
    let tokens = arguments.access.token_file.as_ref().map(BearerTokens::open).transpose()?;
    let options = options(&arguments, tokens.clone())?;
    let store = database::open_existing(db)?;
    let runtime = runtime()?;
    let listener =
        runtime.block_on(TcpListener::bind(&addresses[..])).map_err(|source| cannot_listen(listen, source))?;
    let router = http::router(store.clone(), options);
    let (router, lines) = if arguments.log { logged(router, tokens)? } else { (router, None) };
    let recovery = Recovery::start(store.clone(), recovery::EVERY)
        .map_err(|source| Failure::System { action: "start a thread", source })?;
    announce(&listener)?;

    let shutdown = async {
        // Whoever would have told us is as good as a signal.
        let _ = stopped.await;
    };
    let served = http::serve(listener, router, ServeOptions::new().connections_max(connections_max), shutdown);
    let outcome = runtime.block_on(served).map_err(|source| cannot_listen(listen, source));
    // What was cut off may still be at work on the store, which waits for those that write.
    runtime.shutdown_background();
    if let Some(lines) = lines {
        lines.finish();
    }
    recovery.finish();
    store.close()?;
    outcome
}

/// Says where it listens, for whoever waits for that; and if there is nobody, nobody minds.
fn announce(listener: &TcpListener) -> Result<(), Failure> {
    let address =
        listener.local_addr().map_err(|source| Failure::System { action: "tell where it listens", source })?;
    let _ = print(|out| Ok(writeln!(out, "listening on http://{address}")?));
    Ok(())
}

fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|source| Failure::System { action: "start the threads of the server", source })
}

fn options(arguments: &ServeArguments, tokens: Option<BearerTokens>) -> Result<Options, Failure> {
    let mut options = match tokens {
        Some(tokens) => Options::new(tokens),
        None => Options::new(AnonymousLoopback::new(Rights::ALL)),
    };
    let hosts = arguments.listen.allowed_host().into_iter();
    for host in hosts.chain(arguments.allowed_hosts.iter().map(String::as_str)) {
        options = options.allowed_host(host)?;
    }
    Ok(options.openapi(arguments.openapi))
}

fn logged(router: Router, tokens: Option<BearerTokens>) -> Result<(Router, Option<Lines>), Failure> {
    let lines = Lines::to(std::io::stderr()).map_err(|source| Failure::System { action: "start the log", source })?;
    Ok((log::logged(router, lines.log(), tokens), Some(lines)))
}

/// Without credentials, whoever reaches the server is let in.
fn must_be_for_some(arguments: &ServeArguments, addresses: &[SocketAddr]) -> Result<(), Failure> {
    let is_loopback = |address: &SocketAddr| address.ip().to_canonical().is_loopback();
    if !arguments.access.allow_anonymous_loopback || addresses.iter().all(is_loopback) {
        return Ok(());
    }
    let problem = format!(
        "--allow-anonymous-loopback cannot be used with --listen {}, which other machines may reach; use --token-file",
        arguments.listen
    );
    Err(Failure::Usage(Arguments::command().error(ErrorKind::ArgumentConflict, problem)))
}

fn cannot_listen(listen: &Listen, source: std::io::Error) -> Failure {
    Failure::CannotListen { listen: listen.to_string(), source }
}
