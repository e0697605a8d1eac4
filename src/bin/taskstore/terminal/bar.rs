//! How far long work has come, on standard error.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A line that tells how far the work has come, and goes with this. There is none unless standard error is a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    /// `what` is what is being done.
    pub fn new(what: &str) -> Self {
        let target =
            if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{msg} {wide_bar} {percent:>3} %").expect("the template is valid");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        bar.set_message(what.to_owned());
        Self(bar)
    }

    /// So much of so much is done.
    pub fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done.min(total));
    }

    /// Clears the line.
    pub fn finish(self) {}
}

impl Drop for Bar {
    /// What is printed next, an error also, stands where the line was.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
