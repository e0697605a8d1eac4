//! Ctrl-C, or a terminal that goes, while something is going on that can end early.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::Failure;
use crate::run::signals::heeded;

/// Whether we were asked to stop.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Catches from now on what asks us to stop. The first such signal is told; the second ends us, as it would have if it had
/// not been caught. What our caller has us ignore stays ignored.
pub fn watch() -> Result<Interrupt, Failure> {
    let requested = Arc::new(AtomicBool::new(false));
    for signal in heeded([SIGHUP, SIGINT, SIGTERM]) {
        // In this order: what the first signal sets must not end us yet.
        flag::register_conditional_default(signal, Arc::clone(&requested))
            .and_then(|_| flag::register(signal, Arc::clone(&requested)))
            .map_err(|source| Failure::System { action: "watch for signals", source })?;
    }
    Ok(Interrupt(requested))
}
