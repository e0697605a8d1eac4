//! The server with limits, asked over real sockets.

mod cut;
mod flood;
mod head;
mod panics;
mod peer;
mod shutdown;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::routing::get;
use http_body::Frame;
use taskstore::http::{ServeOptions, serve};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// For what a test makes fail.
const SHORT: Duration = Duration::from_millis(50);

/// A server that runs.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<io::Result<()>>,
    runtime: Runtime,
}

impl Running {
    fn new(router: Router, options: ServeOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = runtime.spawn(serve(listener, router, options, shutdown));
        Self { address, stop: Some(stop), server, runtime }
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    /// A client that has sent this much.
    fn client_of(&self, sent: &str) -> Client {
        let mut client = self.client();
        client.send(sent);
        client
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits for the server's end.
    fn end(self) -> io::Result<()> {
        self.runtime.block_on(self.server).unwrap()
    }
}

/// The other end of a connection.
struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer as it came.
#[derive(Debug)]
struct Came {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Asks, and takes the answer.
    fn get(&mut self, path: &str) -> Came {
        self.send(&head("GET", path));
        self.answer().unwrap()
    }

    /// Takes an answer with a length.
    fn answer(&mut self) -> io::Result<Came> {
        let (status, head) = self.head()?;
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map(|text| text.parse().unwrap());
        let mut body = vec![0; length.unwrap_or(0)];
        self.stream.read_exact(&mut body)?;
        Ok(Came { status, head, body })
    }

    fn head(&mut self) -> io::Result<(u16, String)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok((head[9..12].parse().unwrap(), head))
    }

    /// Takes a body in chunks, to its end.
    fn chunks(&mut self) -> io::Result<usize> {
        let mut bytes = 0;
        loop {
            let mut length = String::new();
            self.stream.read_line(&mut length)?;
            let length = usize::from_str_radix(length.trim_end(), 16).map_err(|_| io::ErrorKind::UnexpectedEof)?;
            io::copy(&mut self.stream.by_ref().take(u64::try_from(length + 2).unwrap()), &mut io::sink())?;
            if length == 0 {
                return Ok(bytes);
            }
            bytes += length;
        }
    }

    fn take(&mut self, bytes: usize) -> io::Result<()> {
        let taken = io::copy(&mut self.stream.by_ref().take(u64::try_from(bytes).unwrap()), &mut io::sink())?;
        if taken < u64::try_from(bytes).unwrap() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Whether the server ends the connection before it says anything.
    fn is_ended(&mut self) -> bool {
        match self.stream.read(&mut [0]) {
            Ok(bytes) => bytes == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

fn head(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Says hello at `/`, and has a long answer at `/long`, of so many pieces of 64 KiB.
fn hello(pieces: usize) -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/long", get(async move || Body::new(Pieces { left: pieces, gone: None })))
}

/// A long body.
struct Pieces {
    left: usize,
    /// Is told when nobody takes any more of it.
    gone: Option<mpsc::Sender<()>>,
}

const ENDLESS: usize = usize::MAX;

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        static PIECE: [u8; 64 << 10] = [b'x'; 64 << 10];
        let Some(left) = self.left.checked_sub(1) else {
            return Poll::Ready(None);
        };
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&PIECE)))))
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if let Some(gone) = &self.gone {
            let _ = gone.send(());
        }
    }
}

fn wait_until(what: &str, mut happens: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::yield_now();
    }
}
