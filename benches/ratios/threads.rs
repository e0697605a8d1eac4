//! Many threads that write to one store.

use taskstore::TaskStore;

/// Each thread records as many lifecycles, every verb durable by itself.
pub fn lifecycles(store: &TaskStore, threads: usize, each: usize) {
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(move || (0..each).for_each(|_| crate::ours(store)));
        }
    });
}
