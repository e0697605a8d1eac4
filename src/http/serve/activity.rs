//! Who waits for whom on a connection: we for the client, or the client for us.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::http::place::Place;

/// Keeps the place of a connection, which is idle while we wait for the client.
///
/// It is idle since the client last took something of an answer, or came. What trickles in from it does not renew that, or
/// a client that sends a byte now and then would keep its place for ever.
pub(super) struct Activity {
    place: Place,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    waits_since: Instant,
    has_unread: bool,
    is_cut: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// For a request, or until what is left of an answer is taken: only the client can go on.
    Client,
    /// For a handler.
    Handler,
    /// For the next piece of an answer.
    Answer,
}

impl Activity {
    pub(super) fn new(place: Place) -> Self {
        let now = Instant::now();
        place.idle_since(now);
        let state = State { phase: Phase::Client, waits_since: now, has_unread: false, is_cut: false };
        Self { place, state: Mutex::new(state) }
    }

    /// Ends when the place has been given to another connection.
    pub(super) async fn evicted(&self) {
        self.place.evicted().await;
    }

    /// Something has come from the client.
    pub(super) fn received(&self) {
        let mut state = self.state();
        state.has_unread |= state.phase == Phase::Client;
    }

    /// The head of a request is there.
    pub(super) fn request_began(&self) {
        let mut state = self.state();
        *state = State { phase: Phase::Handler, has_unread: false, is_cut: false, ..*state };
        self.place.busy();
    }

    /// A handler has asked for more of the body of its request, and may have to wait for it.
    pub(super) fn body_asked(&self, is_there: bool) {
        let state = self.state();
        if is_there {
            self.place.busy();
        } else {
            self.place.idle_since(state.waits_since);
        }
    }

    /// A handler is done with the body of its request.
    pub(super) fn body_left(&self, is_whole: bool) {
        let mut state = self.state();
        state.has_unread |= !is_whole;
        if state.phase != Phase::Client {
            self.place.busy();
        }
    }

    /// The head of the answer is there.
    pub(super) fn answer_began(&self) {
        let mut state = self.state();
        *state = State { phase: Phase::Answer, waits_since: Instant::now(), ..*state };
        self.place.busy();
    }

    /// There is no more of the answer, but what is on its way.
    pub(super) fn answer_left(&self, is_whole: bool) {
        let mut state = self.state();
        *state = State { phase: Phase::Client, waits_since: Instant::now(), is_cut: !is_whole, ..*state };
        self.place.idle_since(state.waits_since);
    }

    /// The client has taken something.
    pub(super) fn sent(&self) {
        let mut state = self.state();
        state.waits_since = Instant::now();
        if state.phase == Phase::Client {
            self.place.idle_since(state.waits_since);
        } else {
            self.place.busy();
        }
    }

    /// The client takes nothing.
    pub(super) fn cannot_send(&self) {
        self.place.idle_since(self.state().waits_since);
    }

    /// Whether the client may be sending what nobody reads any more.
    pub(super) fn has_unread(&self) -> bool {
        self.state().has_unread
    }

    /// Whether the connection would end amid an answer.
    pub(super) fn is_cut(&self) -> bool {
        let state = self.state();
        state.is_cut || state.phase == Phase::Answer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
