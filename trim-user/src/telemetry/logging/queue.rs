//! Between those who log and the one who writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::line::Line;

/// Puts lines in. Never waits.
#[derive(Clone, Debug)]
pub(super) struct Input {
    sender: Sender<Line>,
    dropped: Arc<AtomicU64>,
}

/// Takes lines out.
#[derive(Debug)]
pub(super) struct Output {
    receiver: Receiver<Line>,
    dropped: Arc<AtomicU64>,
}

/// A queue of at most so many lines.
pub(super) fn queue(length: usize) -> (Input, Output) {
    let (sender, receiver) = crossbeam_channel::bounded(length);
    let dropped = Arc::new(AtomicU64::new(0));
    let input = Input {
        sender,
        dropped: Arc::clone(&dropped),
    };
    (input, Output { receiver, dropped })
}

impl Input {
    /// Adds a line; one that finds no place is dropped and counted.
    pub(super) fn put(&self, line: Line) {
        if self.sender.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Output {
    /// The next line, when one comes within `patience`.
    pub(super) fn next(&self, patience: Duration) -> Result<Line, RecvTimeoutError> {
        self.receiver.recv_timeout(patience)
    }

    /// Lines dropped since the last call.
    pub(super) fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}
