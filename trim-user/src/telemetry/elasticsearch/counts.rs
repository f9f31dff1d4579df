//! What became of documents, in numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that the thread counts and others read.
#[derive(Debug, Default)]
pub struct Tally {
    pub(super) delivered: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) failed_requests: AtomicU64,
    pub(super) waiting: AtomicU64,
    pub(super) spool_bytes: AtomicU64,
}

/// The numbers at one moment. Counters begin at 0 with the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Documents that the server has.
    pub delivered: u64,
    /// Documents that it will never take.
    pub refused: u64,
    /// Documents given up because there was no room, or because the disk lost them.
    pub dropped: u64,
    /// Requests after which documents are still waiting.
    pub failed_requests: u64,
    /// Documents that wait now.
    pub waiting: u64,
    /// Their bytes.
    pub spool_bytes: u64,
}

impl Tally {
    /// The numbers now.
    pub fn counts(&self) -> Counts {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Counts {
            delivered: read(&self.delivered),
            refused: read(&self.refused),
            dropped: read(&self.dropped),
            failed_requests: read(&self.failed_requests),
            waiting: read(&self.waiting),
            spool_bytes: read(&self.spool_bytes),
        }
    }
}

/// Counts so many more.
pub(super) fn add(number: &AtomicU64, more: usize) {
    number.fetch_add(more as u64, Ordering::Relaxed);
}
