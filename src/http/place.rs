//! A limited number of places. Who waits for others the longest makes room for who comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

pub(super) struct Places {
    max: usize,
    /// Who is idle for less than this keeps the place.
    idle_min: Duration,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    places: HashMap<u64, Arc<State>>,
    last_number: u64,
}

/// A place, free again when this is dropped. At first it is busy.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    idle_since: Mutex<Option<Instant>>,
    evicted: Notify,
}

impl Places {
    pub(super) fn new(max: usize, idle_min: Duration) -> Arc<Self> {
        Arc::new(Self { max, idle_min, taken: Mutex::default() })
    }

    /// A place; if all are taken, that of who is idle the longest. `None` if nobody is idle for long enough.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = lock(&self.taken);
        if taken.places.len() >= self.max && !taken.evict(self.idle_min) {
            return None;
        }
        Some(self.add(&mut taken))
    }

    /// A place beyond all that there are, for who cannot be refused.
    pub(super) fn take_another(self: &Arc<Self>) -> Place {
        self.add(&mut lock(&self.taken))
    }

    fn add(self: &Arc<Self>, taken: &mut Taken) -> Place {
        taken.last_number += 1;
        let number = taken.last_number;
        let state = Arc::<State>::default();
        taken.places.insert(number, Arc::clone(&state));
        Place { places: Arc::clone(self), number, state }
    }

    /// Takes the place of who is idle the longest, also where there are more.
    pub(super) fn make_room(&self) {
        lock(&self.taken).evict(self.idle_min);
    }
}

impl Taken {
    /// Whether there was somebody to go.
    fn evict(&mut self, idle_min: Duration) -> bool {
        let idle = self.places.iter().filter_map(|(number, state)| Some(((*lock(&state.idle_since))?, *number)));
        let longest = idle.min().filter(|(since, _)| since.elapsed() >= idle_min);
        let evicted = longest.and_then(|(_, number)| self.places.remove(&number));
        evicted.inspect(|state| state.evicted.notify_one()).is_some()
    }
}

impl Place {
    /// From now on it waits for somebody else.
    pub(super) fn idle(&self) {
        self.idle_since(Instant::now());
    }

    /// The same where it has waited for longer.
    pub(super) fn idle_since(&self, since: Instant) {
        *lock(&self.state.idle_since) = Some(since);
    }

    /// From now on others wait for it.
    pub(super) fn busy(&self) {
        *lock(&self.state.idle_since) = None;
    }

    /// Ends when the place has been given to another.
    pub(super) async fn evicted(&self) {
        self.state.evicted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.places.taken).places.remove(&self.number);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
