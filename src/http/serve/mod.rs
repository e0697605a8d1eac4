//! A server with limits.

mod activity;
mod body;
mod connection;
mod options;
mod refusal;
mod socket;

use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::place::Places;
use activity::Activity;
use connection::Connection;
pub use options::ServeOptions;

/// No connection is kept for having come just now: were each safe for a while, a flood of them would keep everybody out for
/// as long. As it is, who comes is the last to go, so that a client is answered before its turn comes unless a whole
/// `connections_max` of others come, or take something of their answers, while it sends its request.
const IDLE_MIN: Duration = Duration::ZERO;

/// How many connections are told at a time that there is no place for them. More are closed without a word.
const REFUSALS_MAX: usize = 64;

/// How long a client may go on sending what nobody reads, after its answer.
const LINGER_TIME_MAX: Duration = Duration::from_secs(1);

/// How long to wait until the system may have what it lacked for a connection, mostly file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// Answers the requests that come to `listener` until `shutdown` ends, and then those that have come.
///
/// It speaks HTTP/1.1 (and 1.0), gives each request the address of its peer as
/// [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo), and has the limits of [`ServeOptions`], which `axum::serve` has
/// not. TLS is a proxy's.
///
/// # Many clients, and slow ones
///
/// Where all [connections](ServeOptions::connections_max) are taken, a new one gets the place of the one that has waited for
/// its client the longest: for a request, for the rest of one, or to take something of its answer. So clients that do
/// nothing keep nobody out, however many they are. If all are busy with our own work instead, the new one is answered 503
/// with `Retry-After: 1`.
///
/// An answer that is cut off, by that or by a limit, is never taken for whole: its connection is reset, before the end that
/// its length or its last chunk would be.
///
/// # Shutdown
///
/// Once `shutdown` has ended, new connections are refused by the system, those that are idle are closed, and the others have
/// [`shutdown_time_max`](ServeOptions::shutdown_time_max) to finish. When this function returns, all are closed. To drop its
/// future instead cuts all of them off.
///
/// # Errors
///
/// That of a listener that does not listen any more, after a shutdown as above. What the system lacks for a moment, such as
/// file descriptors, is waited for, and the connection that is idle the longest makes room. A panic of a handler is
/// answered 500, and ends nothing else.
///
/// # Example
///
/// ```
/// use taskstore::TaskStore;
/// use taskstore::http::{self, AnonymousLoopback, Options, Rights, ServeOptions};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let router = http::router(TaskStore::open_temporary()?, Options::new(AnonymousLoopback::new(Rights::VIEW)));
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let shutdown = async { /* until a signal comes, say */ };
/// http::serve(listener, router, ServeOptions::new().connections_max(256), shutdown).await?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(());
    let mut server = Server {
        places: Places::new(options.connections_max, IDLE_MIN),
        router,
        options,
        stopping,
        refusals: Arc::new(Semaphore::new(REFUSALS_MAX)),
        connections: JoinSet::new(),
    };
    let outcome = tokio::select! {
        () = shutdown => Ok(()),
        broken = server.accept_all(&listener) => Err(broken),
    };
    drop(listener);
    // There may be nobody to tell.
    let _ = stop.send(());
    let all_done = async { while server.connections.join_next().await.is_some() {} };
    let _ = timeout(options.shutdown_time_max, all_done).await;
    server.connections.shutdown().await;
    outcome
}

struct Server {
    places: Arc<Places>,
    router: Router,
    options: ServeOptions,
    stopping: watch::Receiver<()>,
    refusals: Arc<Semaphore>,
    connections: JoinSet<()>,
}

impl Server {
    /// Accepts connections until the listener is broken.
    async fn accept_all(&mut self, listener: &TcpListener) -> io::Error {
        loop {
            match self.accept(listener).await {
                Ok((stream, peer)) => self.begin(stream, peer),
                Err(broken) => return broken,
            }
            // Those that have ended, well or by a panic, which is told already.
            while self.connections.try_join_next().is_some() {}
        }
    }

    async fn accept(&self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
        loop {
            match listener.accept().await {
                Err(error) if error.kind() == InvalidInput => return Err(error),
                // Whoever came has gone again.
                Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
                Err(_) => {
                    self.places.make_room();
                    sleep(ACCEPT_PAUSE).await;
                }
                accepted => return accepted,
            }
        }
    }

    fn begin(&mut self, stream: TcpStream, peer: SocketAddr) {
        if let Some(place) = self.places.take() {
            let activity = Arc::new(Activity::new(place));
            let (router, options, stopping) = (self.router.clone(), self.options, self.stopping.clone());
            self.connections.spawn(Connection { stream, peer, activity, router, options, stopping }.serve());
        } else if let Ok(permit) = Arc::clone(&self.refusals).try_acquire_owned() {
            self.connections.spawn(async move {
                refusal::refuse(stream).await;
                drop(permit);
            });
        }
    }
}
