//! Answers that are written on a thread that may block, and sent on one that must not.

use std::io::{self, ErrorKind, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::spawn_blocking;

use super::place::{Place, Places};
use super::refused::Problem;
use super::service::Service;
use crate::TaskStore;

/// The type of every body.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An answer of more is streamed.
const COLLECTED_BYTES_MAX: usize = 256 << 10;

/// What is written ahead of a slow reader, in pieces of 64 KiB.
const PIECES_AHEAD: usize = 2;

/// Has the store write the body of an answer: whole, if it is short, or as a stream.
pub(super) async fn written(
    service: &Arc<Service>,
    write: impl FnOnce(&TaskStore, &mut Spool) -> crate::Result<()> + Send + 'static,
) -> Result<Response, Problem> {
    let permit = service.permit_to_read().await?;
    let (head, begun) = oneshot::channel();
    let mut spool = Spool {
        state: State::Collecting { bytes: Vec::new(), head, _permit: permit },
        streams: Arc::clone(&service.streams),
        send_time_max: service.options.send_time_max,
    };
    let store = service.store.clone();
    spawn_blocking(move || {
        let outcome = write(&store, &mut spool);
        spool.end(outcome);
    });
    match begun.await {
        Ok(Head::Whole(bytes)) => Ok(json(Body::from(bytes))),
        Ok(Head::Stream(pieces)) => Ok(json(Body::new(Stream { pieces }))),
        Ok(Head::Refused(problem)) => Err(problem),
        Err(_) => Err(Problem::Panicked),
    }
}

/// An answer of status 200.
pub(super) fn json(body: Body) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

/// What the request is answered with, once that is known.
enum Head {
    Whole(Vec<u8>),
    Stream(mpsc::Receiver<Piece>),
    Refused(Problem),
}

enum Piece {
    Bytes(Bytes),
    /// Without it, what came is not whole.
    End,
}

/// What the store writes to.
pub(super) struct Spool {
    state: State,
    streams: Arc<Places>,
    send_time_max: Duration,
}

enum State {
    /// It holds the permit to read only so long: whoever reads slowly keeps nobody from reading.
    Collecting {
        bytes: Vec<u8>,
        head: oneshot::Sender<Head>,
        _permit: OwnedSemaphorePermit,
    },
    Streaming {
        pieces: mpsc::Sender<Piece>,
        place: Place,
    },
    /// Nobody takes any more of it.
    Over,
}

impl Spool {
    /// Tells the reader that there is no more, or why there is nothing.
    fn end(mut self, outcome: crate::Result<()>) {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Collecting { bytes, head, .. } => {
                // Whoever asked may be gone.
                let _ = head
                    .send(outcome.map_or_else(|error| Head::Refused(Problem::Store(error)), |()| Head::Whole(bytes)));
            }
            State::Streaming { pieces, place } if outcome.is_ok() => {
                let _ = self.send(&pieces, &place, Piece::End);
            }
            State::Streaming { .. } | State::Over => {}
        }
    }

    /// Turns what is collected into the beginning of a stream.
    fn begin(&mut self) -> io::Result<()> {
        let State::Collecting { bytes, head, .. } = std::mem::replace(&mut self.state, State::Over) else {
            return Ok(());
        };
        let Some(place) = self.streams.take() else {
            let _ = head.send(Head::Refused(Problem::Overloaded));
            return Err(io::Error::other("too many answers are sent at once"));
        };
        let (pieces, received) = mpsc::channel(PIECES_AHEAD);
        head.send(Head::Stream(received)).map_err(|_| gone())?;
        self.send(&pieces, &place, Piece::Bytes(bytes.into()))?;
        self.state = State::Streaming { pieces, place };
        Ok(())
    }

    fn send(&self, pieces: &mpsc::Sender<Piece>, place: &Place, piece: Piece) -> io::Result<()> {
        let piece = match pieces.try_send(piece) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
            Err(mpsc::error::TrySendError::Full(piece)) => piece,
        };
        place.idle();
        let sent = Handle::current().block_on(async {
            tokio::select! {
                sent = pieces.send(piece) => sent.map_err(|_| gone()),
                () = place.evicted() => Err(io::Error::new(ErrorKind::TimedOut, "another reader was given the place")),
                () = tokio::time::sleep(self.send_time_max) => {
                    Err(io::Error::new(ErrorKind::TimedOut, format!("nobody took any of it for {:?}", self.send_time_max)))
                }
            }
        });
        place.busy();
        sent
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let State::Collecting { bytes: collected, .. } = &mut self.state {
            if collected.len() + bytes.len() <= COLLECTED_BYTES_MAX {
                collected.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            self.begin()?;
        }
        let State::Streaming { pieces, place } = &self.state else {
            return Err(gone());
        };
        self.send(pieces, place, Piece::Bytes(Bytes::copy_from_slice(bytes)))?;
        Ok(bytes.len())
    }

    /// Fails if nobody reads any more, so that what finds nothing to write learns of it.
    fn flush(&mut self) -> io::Result<()> {
        let is_over = match &self.state {
            State::Collecting { head, .. } => head.is_closed(),
            State::Streaming { pieces, .. } => pieces.is_closed(),
            State::Over => true,
        };
        if is_over { Err(gone()) } else { Ok(()) }
    }
}

fn gone() -> io::Error {
    io::Error::new(ErrorKind::BrokenPipe, "whoever asked is gone")
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
            // The connection ends without the mark of the end, so that nobody takes it for whole.
            None => Some(Err(io::Error::new(ErrorKind::UnexpectedEof, "the answer was cut off"))),
        })
    }
}
