//! How far a command has come.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::number;
use crate::data::capture::file::{CaptureReader, Position};

/// How often a bar without steps shows that it lives.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar on a terminal; nothing elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// For reading a capture.
    pub(super) fn new() -> Self {
        Self::styled("{spinner} {bytes}/{total_bytes} {wide_bar} {bytes_per_sec} {eta} {msg}")
    }

    /// For work in steps of equal weight; `what` stands in front.
    pub(super) fn steps(what: &'static str) -> Self {
        let progress = Self::styled("{spinner} {prefix} {pos}/{len} {wide_bar} {eta} {msg}");
        progress.bar.set_prefix(what);
        progress
    }

    /// For waiting on something that takes about `length`.
    pub(super) fn waiting(what: &'static str, length: std::time::Duration) -> Self {
        let progress = Self::styled("{spinner} {prefix} {elapsed} of {msg}, then working it out");
        progress.bar.set_prefix(what);
        progress.bar.set_message(format!("{} s", length.as_secs()));
        progress.bar.enable_steady_tick(std::time::Duration::from_millis(200));
        progress
    }

    /// For work of which nobody knows how far it has come.
    pub(super) fn working(what: &'static str) -> Self {
        let progress = Self::styled("{spinner} {prefix} {elapsed}");
        progress.bar.set_prefix(what);
        progress.bar.enable_steady_tick(TICK);
        progress
    }

    fn styled(template: &str) -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// The reader has come to `position`.
    pub(super) fn reading(&self, reader: &CaptureReader, position: Position) {
        if let Some(total) = reader.total_bytes() {
            self.bar.set_length(total);
        }
        self.bar.set_position(position.consumed);
        self.bar.set_message(format!("{} packets", number(position.packets)));
    }

    /// `done` steps of `all` are done.
    pub(super) fn step(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
    }

    /// Prints something in the place of the bar, which then comes back below it.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
