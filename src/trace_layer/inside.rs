//! What is logged while the layer itself works is not recorded: else a clock or a redaction that logs would call itself
//! for ever.

use std::cell::Cell;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Marks this thread as working for a layer until it is dropped.
pub(super) struct Inside(());

impl Inside {
    /// `None` if the thread works for a layer already.
    pub(super) fn enter() -> Option<Self> {
        // Not `then_some`: the value that is not wanted would be dropped.
        (!INSIDE.replace(true)).then(|| Self(()))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        INSIDE.set(false);
    }
}
