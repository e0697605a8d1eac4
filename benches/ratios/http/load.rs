//! Clients that ask again as soon as they have their answer, each on a connection of its own that stays open.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// A request, as it is sent.
pub type Request = Vec<u8>;

pub struct Load {
    runtime: Runtime,
    clients: Vec<Client>,
}

struct Client {
    stream: BufReader<TcpStream>,
    requests: Vec<Request>,
    /// Which of them is sent next.
    next: usize,
    body: Vec<u8>,
    /// How long each answer took since the last turn began.
    times: Vec<Duration>,
}

impl Load {
    /// So many clients; client n begins with request n, and goes on with the others in turn.
    pub fn new(address: SocketAddr, clients: usize, requests: &[Request]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("makes a runtime");
        let clients = (0..clients).map(|number| {
            // Apart from each other, so that they do not ask the same at the same time.
            let first = requests.len() / clients * number;
            runtime.block_on(Client::connect(address, requests.to_vec(), first)).expect("connects")
        });
        let clients = clients.collect();
        Self { runtime, clients }
    }

    /// Answers a second, and the time of the slowest but one in a hundred, in a turn of so long.
    pub fn turn(&mut self, turn: Duration) -> (f64, f64) {
        let clients = std::mem::take(&mut self.clients);
        let started = Instant::now();
        self.clients = self.runtime.block_on(async {
            let mut asking = JoinSet::new();
            for client in clients {
                asking.spawn(client.ask_until(started + turn));
            }
            asking.join_all().await
        });
        let elapsed = started.elapsed().as_secs_f64();
        let mut times: Vec<Duration> = self.clients.iter().flat_map(|client| client.times.iter().copied()).collect();
        times.sort();
        let slow = times.get(times.len() * 99 / 100).expect("each client has asked once at least");
        let count = u32::try_from(times.len()).expect("a turn is too short for so many answers");
        (f64::from(count) / elapsed, slow.as_secs_f64())
    }

    /// The length of one answer's body.
    pub fn body(address: SocketAddr, request: &Request) -> Vec<u8> {
        let mut load = Self::new(address, 1, std::slice::from_ref(request));
        load.turn(Duration::ZERO);
        load.clients.swap_remove(0).body
    }
}

impl Client {
    async fn connect(address: SocketAddr, requests: Vec<Request>, next: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::with_capacity(64 << 10, stream),
            requests,
            next,
            body: Vec::new(),
            times: Vec::new(),
        })
    }

    async fn ask_until(mut self, end: Instant) -> Self {
        self.times.clear();
        loop {
            let started = Instant::now();
            self.ask().await.expect("is answered");
            self.times.push(started.elapsed());
            if Instant::now() >= end {
                return self;
            }
        }
    }

    async fn ask(&mut self) -> io::Result<()> {
        let request = self.requests.get(self.next).expect("there is one at least");
        self.stream.get_mut().write_all(request).await?;
        self.next = (self.next + 1) % self.requests.len();
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            if line.starts_with("HTTP/1.1") {
                assert_eq!(line, "HTTP/1.1 200 OK\r\n");
            } else if line == "\r\n" {
                break;
            } else if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.trim().parse().expect("a length");
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body).await.map(drop)
    }
}

/// A request without a body.
pub fn get(path: &str) -> Request {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\r\n").into_bytes()
}

/// A request with JSON.
pub fn post(path: &str, body: &str) -> Request {
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ");
    format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes()
}
