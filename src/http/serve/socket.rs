//! The stream of a connection: it waits only so long for a client that takes nothing, and ends in a way that tells the
//! client whether it has all.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::LINGER_TIME_MAX;
use super::activity::Activity;

pub(super) struct Socket {
    stream: TcpStream,
    activity: Arc<Activity>,
    send_time_max: Duration,
    /// While nothing is taken: when to give up.
    sending: Option<Pin<Box<Sleep>>>,
    /// Once our side is shut.
    lingering: Option<Pin<Box<Sleep>>>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, activity: Arc<Activity>, send_time_max: Duration) -> Self {
        Self { stream, activity, send_time_max, sending: None, lingering: None }
    }

    fn sent(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if polled.is_ready() {
            self.sending = None;
            self.activity.sent();
            return polled;
        }
        self.activity.cannot_send();
        let time_max = self.send_time_max;
        let deadline = self.sending.get_or_insert_with(|| Box::pin(sleep(time_max)));
        ready!(deadline.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, format!("nobody took any of it for {time_max:?}"))))
    }

    /// Takes what the client is still sending: to close the connection on that would throw away, at the client's side, an
    /// answer that it has not read yet.
    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.lingering.get_or_insert_with(|| Box::pin(sleep(LINGER_TIME_MAX)));
        let mut is_over = !self.activity.has_unread() || deadline.as_mut().poll(context).is_ready();
        while !is_over {
            let mut bytes = [0; 4 << 10];
            let mut bytes = ReadBuf::new(&mut bytes);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut bytes));
            is_over = read.is_err() || bytes.filled().is_empty();
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = bytes.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, bytes);
        if bytes.filled().len() > before {
            self.activity.received();
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.sent(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.sent(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.linger(context).map(Ok)
    }
}

impl Drop for Socket {
    /// What ends amid an answer is reset: an answer whose end is the end of the connection, as HTTP/1.0 has it, could be
    /// taken for whole otherwise, and the system would go on offering to the client what it has of the answer.
    fn drop(&mut self) {
        if self.sending.is_some() || self.activity.is_cut() {
            // Without that it ends in the ordinary way, which is no worse for us.
            let _ = self.stream.set_zero_linger();
        }
    }
}
