//! Bodies of requests and of answers, which tell how far they are.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::activity::Activity;

/// The body of a request.
pub(super) struct Arriving {
    body: Incoming,
    activity: Arc<Activity>,
    is_whole: bool,
}

impl Arriving {
    pub(super) fn new(body: Incoming, activity: Arc<Activity>) -> Self {
        Self { is_whole: body.is_end_stream(), body, activity }
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.activity.body_asked(polled.is_ready());
        self.is_whole = matches!(polled, Poll::Ready(None)) || self.body.is_end_stream();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.activity.body_left(self.is_whole);
    }
}

/// The body of an answer.
pub(super) struct Leaving {
    body: Body,
    activity: Arc<Activity>,
    is_whole: bool,
}

impl Leaving {
    /// Of an answer to `HEAD` the body is not sent.
    pub(super) fn new(body: Body, activity: Arc<Activity>, is_to_head: bool) -> Self {
        activity.answer_began();
        Self { is_whole: is_to_head || body.is_end_stream(), body, activity }
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        // What fails is at its end too, but not whole.
        let is_more = matches!(polled, Poll::Ready(None | Some(Ok(_))));
        self.is_whole = is_more && (matches!(polled, Poll::Ready(None)) || self.body.is_end_stream());
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.activity.answer_left(self.is_whole);
    }
}
