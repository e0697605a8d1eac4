//! Answers that are written on a thread that may block, and sent on one that must not.

use std::io::{self, ErrorKind, Write};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::authenticator::User;
use super::calls::Slot;
use super::place::{Place, Places};
use super::refused::{Api, Problem};
use super::service::{Access, Service, begin_by};
use super::shared::{First, Others, Question, Turn};
use crate::{Error, TaskStore};

/// The type of every body.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer of more is streamed.
const COLLECTED_BYTES_MAX: usize = 256 << 10;

/// Of a stream, what is written at once.
const PIECE_BYTES_MAX: usize = 64 << 10;

/// What is written ahead of a slow reader.
const PIECES_AHEAD: usize = 2;

/// What this user is answered by a call that writes to the store: what `write` tells of it, or the refusal in the manner of
/// `api`.
pub(super) async fn answered(
    service: &Service,
    api: Api,
    user: User,
    write: impl FnOnce(&TaskStore, &mut Spool) -> crate::Result<()> + Send + 'static,
) -> Response {
    shown_to(user, response(api, written(service, begin_by(), Caller::Writer, write).await))
}

/// The same for a call that only reads: all who ask the question before it begins share the answer.
pub(super) async fn answered_alike(
    service: &Service,
    api: Api,
    user: User,
    question: Question,
    write: impl FnOnce(&TaskStore, &mut Spool) -> crate::Result<()> + Send + 'static,
) -> Response {
    let begin_by = begin_by();
    let body = match service.shared.ask(question) {
        Turn::First(first) => written(service, begin_by, Caller::First(first), write).await,
        Turn::Later(later) => match later.answer(begin_by).await {
            Ok(Some(bytes)) => Ok(Body::from(bytes)),
            Ok(None) => written(service, begin_by, Caller::Reader, write).await,
            Err(problem) => Err(problem),
        },
    };
    shown_to(user, response(api, body))
}

/// For whom the store is called.
enum Caller {
    /// For one who asks for a change.
    Writer,
    /// For one who reads.
    Reader,
    /// For one who reads, and for others who ask the same.
    First(First),
}

fn response(api: Api, body: Result<Body, Problem>) -> Response {
    match body {
        Ok(body) => json(body),
        Err(problem) => api.refuse(problem).into_response(),
    }
}

/// An answer of status 200.
pub(super) fn json(body: Body) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

/// Lets the application's log see whom the answer is for.
pub(super) fn shown_to(user: User, mut response: Response) -> Response {
    response.extensions_mut().insert(user);
    response
}

/// Has the store write the body of an answer: whole, if it is short, or as a stream. A call that has begun goes on where
/// whoever asked is gone.
async fn written(
    service: &Service,
    begin_by: Instant,
    caller: Caller,
    write: impl FnOnce(&TaskStore, &mut Spool) -> crate::Result<()> + Send + 'static,
) -> Result<Body, Problem> {
    let (streams, send_time_max) = (Arc::clone(&service.streams), service.options.send_time_max);
    let must_answer = matches!(caller, Caller::Writer);
    let access = if must_answer { Access::Write } else { Access::Read };
    let head = service.call(access, begin_by, move |store, head, is_waited_for, slot| {
        let others = match caller {
            Caller::First(first) if is_waited_for || first.has_others() => first.begin(),
            Caller::Writer | Caller::Reader if is_waited_for => Others::new(),
            Caller::Writer | Caller::Reader | Caller::First(_) => return Some(slot),
        };
        let state = State::Collecting { bytes: Vec::new(), head, others, slot };
        let mut spool = Spool { state, streams, send_time_max, must_answer };
        let outcome = write(store, &mut spool);
        spool.end(outcome)
    });
    match head.await? {
        Head::Whole(bytes) => Ok(Body::from(bytes)),
        Head::Stream(pieces) => Ok(Body::new(Stream { pieces })),
        Head::Refused(problem) => Err(problem),
    }
}

/// What the request is answered with, once that is known.
enum Head {
    Whole(Bytes),
    Stream(mpsc::Receiver<Piece>),
    Refused(Problem),
}

enum Piece {
    Bytes(Bytes),
    /// Without it, what came is not whole.
    End,
    /// The store failed: for the log of the server, whose connection ends so.
    Failed(Error),
}

/// What the store writes to.
pub(super) struct Spool {
    state: State,
    streams: Arc<Places>,
    send_time_max: Duration,
    /// A change has been made, so that nobody is to be told to try again.
    must_answer: bool,
}

enum State {
    /// It holds its slot only so long: whoever reads slowly keeps nobody from calling the store.
    Collecting { bytes: Vec<u8>, head: oneshot::Sender<Head>, others: Others, slot: Slot },
    Streaming {
        pieces: mpsc::Sender<Piece>,
        place: Place,
        /// Of one that is beyond the places there are, so that there are no more of these than slots.
        slot: Option<Slot>,
    },
    /// Nobody takes any more of it.
    Over,
}

impl Spool {
    /// Tells the reader that there is no more, or why there is nothing.
    fn end(mut self, outcome: crate::Result<()>) -> Option<Slot> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Collecting { bytes, head, others, slot } => {
                let bytes = Bytes::from(bytes);
                // Whoever asked may be gone.
                let _ = match outcome {
                    Ok(()) => {
                        others.into_iter().for_each(|other| drop(other.send(bytes.clone())));
                        head.send(Head::Whole(bytes))
                    }
                    Err(error) => head.send(Head::Refused(Problem::Store(error))),
                };
                Some(slot)
            }
            State::Streaming { pieces, place, slot } => {
                let last = outcome.map_or_else(Piece::Failed, |()| Piece::End);
                let _ = self.send(&pieces, &place, last);
                slot
            }
            State::Over => None,
        }
    }

    /// Turns what is collected into the beginning of a stream.
    fn begin(&mut self) -> io::Result<()> {
        let State::Collecting { bytes, head, slot, .. } = std::mem::replace(&mut self.state, State::Over) else {
            return Ok(());
        };
        if head.is_closed() {
            // Nobody needs a place for it, let alone somebody else's.
            return Err(gone());
        }
        let (place, slot) = match self.streams.take() {
            Some(place) => {
                drop(slot);
                (place, None)
            }
            None if self.must_answer => (self.streams.take_another(), Some(slot)),
            None => {
                let _ = head.send(Head::Refused(Problem::Overloaded));
                return Err(io::Error::other("too many answers are sent at once"));
            }
        };
        let (pieces, received) = mpsc::channel(PIECES_AHEAD);
        head.send(Head::Stream(received)).map_err(|_| gone())?;
        self.send(&pieces, &place, Piece::Bytes(bytes.into()))?;
        self.state = State::Streaming { pieces, place, slot };
        Ok(())
    }

    fn send(&self, pieces: &mpsc::Sender<Piece>, place: &Place, piece: Piece) -> io::Result<()> {
        let piece = match pieces.try_send(piece) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
            Err(mpsc::error::TrySendError::Full(piece)) => piece,
        };
        place.idle();
        let sent = wait(self.send_time_max, async {
            tokio::select! {
                sent = pieces.send(piece) => sent.map_err(|_| gone()),
                () = place.evicted() => Err(io::Error::new(ErrorKind::TimedOut, "another reader was given the place")),
            }
        });
        place.busy();
        let late =
            || io::Error::new(ErrorKind::TimedOut, format!("nobody took any of it for {:?}", self.send_time_max));
        sent.unwrap_or_else(|| Err(late()))
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A store in memory, and a long text, come at once.
        let bytes = bytes.get(..PIECE_BYTES_MAX).unwrap_or(bytes);
        if let State::Collecting { bytes: collected, .. } = &mut self.state {
            if collected.len() + bytes.len() <= COLLECTED_BYTES_MAX {
                collected.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            self.begin()?;
        }
        let State::Streaming { pieces, place, .. } = &self.state else {
            return Err(gone());
        };
        let sent = self.send(pieces, place, Piece::Bytes(Bytes::copy_from_slice(bytes)));
        if sent.is_err() {
            self.state = State::Over;
        }
        sent.map(|()| bytes.len())
    }

    /// Fails if nobody reads any more, so that what finds nothing to write learns of it.
    fn flush(&mut self) -> io::Result<()> {
        let is_over = match &self.state {
            State::Collecting { head, others, .. } => head.is_closed() && others.iter().all(oneshot::Sender::is_closed),
            State::Streaming { pieces, .. } => pieces.is_closed(),
            State::Over => true,
        };
        if is_over { Err(gone()) } else { Ok(()) }
    }
}

fn gone() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "whoever asked is gone")
}

/// Waits on this thread, and without the runtime: that may have a single thread, which is busy, or be shutting down.
fn wait<T>(time_max: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let started = std::time::Instant::now();
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(output);
        }
        let left = time_max.checked_sub(started.elapsed()).filter(|left| !left.is_zero())?;
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The body of an answer that is still being written.
struct Stream {
    pieces: mpsc::Receiver<Piece>,
}

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            Some(Piece::Failed(error)) => Some(Err(io::Error::other(error))),
            // The connection ends without the mark of the end, so that nobody takes it for whole.
            None => Some(Err(io::Error::new(ErrorKind::UnexpectedEof, "the answer was cut off"))),
        })
    }
}
