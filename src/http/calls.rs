//! Threads that call the store: so many at a time, and no more than there is to do.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::spawn_blocking;

/// Calls wait here for a slot. Who has made one goes on with the next in the same thread: to wake another for each costs
/// more than most calls do.
pub(super) struct Calls {
    max: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots_taken: usize,
    waiting: VecDeque<Call>,
}

/// It gives its slot back, unless it has let go of it before: so a stream does, which holds its thread for long.
pub(super) type Call = Box<dyn FnOnce(Slot) -> Option<Slot> + Send>;

/// One of the threads that may call. Where it is let go of amid a call, another thread goes on with those that wait.
pub(super) struct Slot {
    /// `None` once it is somebody else's.
    calls: Option<Arc<Calls>>,
}

impl Calls {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, state: Mutex::default() })
    }

    /// Has this call made as soon as there is a slot, in the order in which they come. It is dropped where the runtime
    /// shuts down.
    pub(super) fn make(self: &Arc<Self>, call: Call) {
        {
            let mut state = self.state();
            if state.slots_taken >= self.max {
                return state.waiting.push_back(call);
            }
            state.slots_taken += 1;
        }
        Slot { calls: Some(Arc::clone(self)) }.start(call);
    }

    /// What the holder of a slot is to do; if there is nothing, the slot is free.
    fn next(&self) -> Option<Call> {
        let mut state = self.state();
        let next = state.waiting.pop_front();
        state.slots_taken -= usize::from(next.is_none());
        next
    }

    /// Frees the slot of a thread that there will not be, with those that count on it.
    fn give_up(&self) {
        let mut state = self.state();
        state.slots_taken -= 1;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn start(self, call: Call) {
        let mut starting = Starting(Some((self, call)));
        drop(spawn_blocking(move || starting.run()));
    }

    fn next(&mut self) -> Option<(Self, Call)> {
        let calls = self.calls.take()?;
        let call = calls.next()?;
        Some((Self { calls: Some(calls) }, call))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((slot, call)) = self.next() {
            slot.start(call);
        }
    }
}

/// What a thread begins with.
struct Starting(Option<(Slot, Call)>);

impl Starting {
    fn run(&mut self) {
        let mut next = self.0.take();
        while let Some((slot, call)) = next {
            next = call(slot).and_then(|mut slot| slot.next());
        }
    }
}

impl Drop for Starting {
    /// It has not run only where the runtime shuts down, which starts no other thread either.
    fn drop(&mut self) {
        if let Some(calls) = self.0.take().and_then(|(mut slot, _)| slot.calls.take()) {
            calls.give_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use tokio::runtime::Runtime;

    use super::*;

    /// A call that tells its name, and waits until it may end.
    fn call(name: u32, begun: &Sender<u32>) -> (Call, Sender<()>) {
        let (begun, (end, ended)) = (begun.clone(), channel::<()>());
        let call = move |slot| {
            begun.send(name).unwrap();
            let _ = ended.recv();
            Some(slot)
        };
        (Box::new(call), end)
    }

    fn next(told: &Receiver<u32>) -> u32 {
        told.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// No slot is taken any more, once the threads are done.
    fn assert_all_free(runtime: Runtime, calls: &Calls) {
        drop(runtime);
        let state = calls.state();
        assert_eq!((state.slots_taken, state.waiting.len()), (0, 0));
    }

    fn begun() -> (Runtime, Sender<u32>, Receiver<u32>) {
        let (begun, told) = channel();
        (Runtime::new().unwrap(), begun, told)
    }

    #[test]
    fn so_many_calls_are_made_at_a_time_and_the_others_in_their_order() {
        let (runtime, begun, told) = begun();
        let _inside = runtime.enter();
        let calls = Calls::new(2);
        let mut ends: Vec<_> = (0..5)
            .map(|name| {
                let (call, end) = call(name, &begun);
                calls.make(call);
                end
            })
            .collect();
        let mut first = [next(&told), next(&told)];
        first.sort();
        assert_eq!(first, [0, 1]);
        assert!(told.try_recv().is_err());
        for name in 2..5 {
            drop(ends.remove(0));
            assert_eq!(next(&told), name);
        }
        drop((ends, _inside));
        assert_all_free(runtime, &calls);
    }

    #[test]
    fn a_slot_that_is_let_go_of_or_lost_by_a_panic_is_the_next_ones() {
        let (runtime, begun, told) = begun();
        let _inside = runtime.enter();
        let calls = Calls::new(1);
        let (first, end_of_first) = call(1, &begun);
        calls.make(first);
        // It goes on for long without its slot.
        let (long, end_of_long) = channel::<()>();
        calls.make(Box::new(move |slot| {
            drop(slot);
            let _ = end_of_long.recv();
            None
        }));
        calls.make(Box::new(|_| panic!("as a bug would")));
        let (last, end_of_last) = call(2, &begun);
        calls.make(last);
        drop(end_of_first);
        assert_eq!([next(&told), next(&told)], [1, 2]);
        drop((end_of_last, long, _inside));
        assert_all_free(runtime, &calls);
    }

    #[test]
    fn what_a_runtime_that_is_gone_does_not_call_is_dropped_and_leaves_no_slot_taken() {
        let (runtime, begun, told) = begun();
        let calls = Calls::new(1);
        let handle = runtime.handle().clone();
        drop(runtime);
        let _inside = handle.enter();
        for name in 0..3 {
            calls.make(call(name, &begun).0);
        }
        drop(begun);
        assert!(told.recv().is_err());
        assert_eq!(calls.state().slots_taken, 0);
    }
}
