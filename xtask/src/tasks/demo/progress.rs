//! One line that moves while the demo runs; plain lines where stderr is no terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use xtask::command::say;

pub(super) struct Progress {
    bar: ProgressBar,
    is_terminal: bool,
}

impl Progress {
    /// A bar over this much time.
    pub(super) fn new(total: Duration) -> Self {
        let is_terminal = stderr().is_terminal();
        let bar = if is_terminal {
            ProgressBar::new(total.as_millis() as u64)
        } else {
            ProgressBar::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} [{bar:24}] {msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        Self { bar, is_terminal }
    }

    /// Something begins or has happened.
    pub(super) fn event(&self, text: &str) {
        self.bar.suspend(|| say(text));
    }

    /// Time has passed.
    pub(super) fn update(&self, elapsed: Duration, text: String) {
        if self.is_terminal {
            self.bar.set_position(elapsed.as_millis() as u64);
            self.bar.set_message(text);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
