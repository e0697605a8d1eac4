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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::http::place::Places;

    /// A connection that has the only place, behind these steps.
    fn behind(steps: &[fn(&Activity)]) -> (Activity, Arc<Places>) {
        let places = Places::new(1, Duration::ZERO);
        let activity = Activity::new(places.take().unwrap());
        steps.iter().for_each(|step| step(&activity));
        (activity, places)
    }

    const BEGAN: fn(&Activity) = Activity::request_began;
    const ANSWERS: fn(&Activity) = Activity::answer_began;
    const SENT: fn(&Activity) = Activity::sent;
    const WHOLE: fn(&Activity) = |activity| activity.answer_left(true);
    const CUT: fn(&Activity) = |activity| activity.answer_left(false);
    const READ: fn(&Activity) = |activity| activity.body_left(true);
    const UNREAD: fn(&Activity) = |activity| activity.body_left(false);
    const ASKED: fn(&Activity) = |activity| activity.body_asked(false);
    const THERE: fn(&Activity) = |activity| activity.body_asked(true);

    #[test]
    fn what_the_client_sends_is_unread_until_it_is_a_request_whose_body_was_read() {
        let received: fn(&Activity) = Activity::received;
        for (number, (steps, unread)) in [
            (&[][..], false),
            (&[received], true),
            (&[received, BEGAN], false),
            (&[BEGAN, received], false),
            (&[BEGAN, READ], false),
            (&[BEGAN, UNREAD], true),
            (&[BEGAN, UNREAD, READ], true),
            (&[BEGAN, UNREAD, ANSWERS, WHOLE], true),
            (&[BEGAN, UNREAD, ANSWERS, WHOLE, BEGAN], false),
            (&[BEGAN, READ, ANSWERS, received, WHOLE], false),
            (&[BEGAN, READ, ANSWERS, WHOLE, received, received], true),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(behind(steps).0.has_unread(), unread, "case {number}");
        }
    }

    #[test]
    fn an_answer_is_cut_until_it_is_whole() {
        for (number, (steps, cut)) in [
            (&[][..], false),
            (&[BEGAN], false),
            (&[BEGAN, ANSWERS], true),
            (&[BEGAN, ANSWERS, SENT], true),
            (&[BEGAN, ANSWERS, WHOLE], false),
            (&[BEGAN, ANSWERS, CUT], true),
            (&[BEGAN, ANSWERS, CUT, BEGAN], false),
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(behind(steps).0.is_cut(), cut, "case {number}");
        }
    }

    #[test]
    fn who_is_waited_for_makes_room() {
        let cannot_send: fn(&Activity) = Activity::cannot_send;
        for (number, (steps, makes_room)) in [
            (&[][..], true),
            (&[SENT], true),
            (&[BEGAN], false),
            (&[BEGAN, SENT], false),
            (&[BEGAN, ASKED], true),
            (&[BEGAN, ASKED, THERE], false),
            (&[BEGAN, ASKED, READ], false),
            (&[BEGAN, ANSWERS], false),
            (&[BEGAN, ANSWERS, SENT], false),
            (&[BEGAN, ANSWERS, cannot_send], true),
            (&[BEGAN, ANSWERS, cannot_send, SENT], false),
            (&[BEGAN, ANSWERS, WHOLE], true),
            (&[BEGAN, ANSWERS, WHOLE, SENT], true),
            // Its answer was whole before its body was left.
            (&[BEGAN, ANSWERS, WHOLE, UNREAD], true),
        ]
        .into_iter()
        .enumerate()
        {
            let (_activity, places) = behind(steps);
            assert_eq!(places.take().is_some(), makes_room, "case {number}");
        }
    }

    #[test]
    fn the_one_that_took_something_of_its_answer_last_stays() {
        let places = Places::new(2, Duration::ZERO);
        let [first, second] = [(); 2].map(|()| Activity::new(places.take().unwrap()));
        let is_evicted = |activity: &Activity| {
            let mut evicted = std::pin::pin!(activity.evicted());
            evicted.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
        };
        for activity in [&first, &second] {
            activity.request_began();
            activity.answer_began();
            activity.answer_left(true);
        }
        first.sent();
        // What has come does not renew it.
        second.received();
        assert!(places.take().is_some());
        assert!(is_evicted(&second) && !is_evicted(&first));
    }
}
