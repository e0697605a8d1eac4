//! The signals that end a server.

use std::{io, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;
use tokio::sync::oneshot;

use crate::run::signals::heeded;

/// Catches from now on what asks us to stop. The first such signal is told; the second ends us, as it would have if it had
/// not been caught.
pub fn watch() -> io::Result<oneshot::Receiver<()>> {
    let mut signals = Signals::new(heeded([SIGINT, SIGTERM]))?;
    let (stop, stopped) = oneshot::channel();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut received = signals.forever();
        if received.next().is_some() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        for signal in received {
            let _ = emulate_default_handler(signal);
        }
    })?;
    Ok(stopped)
}
