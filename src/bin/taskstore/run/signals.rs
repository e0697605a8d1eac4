//! The signals that concern a running command.

use std::fs::OpenOptions;
use std::io::{self, Read};

use nix::unistd::{getpgrp, getpid, getsid, tcgetpgrp};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};
use signal_hook::low_level::signal_name;

pub type Watched = SignalsInfo<WithOrigin>;

/// Catches from now on what asks a command to stop, and the end of a child.
///
/// What our caller has us ignore, as `nohup` does with SIGHUP, stays ignored, and the command inherits that.
pub fn watch() -> io::Result<Watched> {
    Watched::new(heeded([SIGINT, SIGTERM, SIGHUP, SIGQUIT]).chain([SIGCHLD]))
}

/// Those of the signals that our caller does not have us ignore.
pub fn heeded(signals: impl IntoIterator<Item = i32>) -> impl Iterator<Item = i32> {
    let ignored = ignored();
    signals.into_iter().filter(move |signal| !ignored.contains(*signal))
}

/// What was received before there was a command.
pub fn already_received(watched: &mut Watched) -> Option<i32> {
    watched.pending().map(|origin| origin.signal).find(|signal| *signal != SIGCHLD)
}

pub fn is_of_a_child(origin: &Origin) -> bool {
    origin.signal == SIGCHLD
}

/// Whether the whole foreground group has got the signal, and not we alone. So it is with what the kernel sends for a
/// terminal (Ctrl-C, Ctrl-\\), except that a line which is gone is told to the leader of the session alone.
pub fn is_for_the_foreground(origin: &Origin) -> bool {
    let to_the_leader = origin.signal == SIGHUP && getsid(None) == Ok(getpid());
    origin.cause == Cause::Kernel && !to_the_leader
}

/// `SIGINT`, or `signal 34` where there is no name.
pub fn name(signal: i32) -> String {
    signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

/// Whether we are in the foreground of a terminal: only there may a process read it.
pub fn in_the_foreground() -> bool {
    let terminal = OpenOptions::new().read(true).open("/dev/tty");
    terminal.is_ok_and(|terminal| tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp()))
}

/// A set of signals: bit n stands for signal n + 1.
struct Set(u64);

impl Set {
    fn contains(&self, signal: i32) -> bool {
        u32::try_from(signal - 1).is_ok_and(|bit| self.0.checked_shr(bit).is_some_and(|bits| bits & 1 == 1))
    }
}

/// What we ignore, as Linux tells it: to ask the system itself takes unsafe code. Elsewhere it is taken for nothing.
fn ignored() -> Set {
    let mut status = String::new();
    let read =
        OpenOptions::new().read(true).open("/proc/self/status").and_then(|mut file| file.read_to_string(&mut status));
    let line = read.ok().and_then(|_| status.lines().find_map(|line| line.strip_prefix("SigIgn:")));
    Set(line.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0))
}
