//! Bodies of requests and of answers, which tell how far they are.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
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
    /// What is to come, where the head says it: a body may not know that it is at its end, and is asked for no more then.
    bytes_left: Option<u64>,
}

impl Leaving {
    /// The body of this answer. Of one to `HEAD` it is not sent.
    pub(super) fn of(answer: Response, activity: Arc<Activity>, is_to_head: bool) -> axum::http::Response<Self> {
        activity.answer_began();
        let length = answer.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        answer.map(|body| {
            let bytes_left = length.or(body.size_hint().exact());
            Self { is_whole: is_to_head || body.is_end_stream() || bytes_left == Some(0), body, activity, bytes_left }
        })
    }
}

impl HttpBody for Leaving {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.is_whole = match &polled {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
                self.bytes_left = self.bytes_left.map(|left| left.saturating_sub(bytes));
                frame.is_trailers() || self.bytes_left == Some(0) || self.body.is_end_stream()
            }
            // What fails is at its end too, but not whole.
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
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
