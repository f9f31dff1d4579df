//! What became of exemplars of differences.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number with several writers.
#[derive(Debug, Default)]
pub struct Tally(AtomicU64);

impl Tally {
    /// Adds to it.
    pub fn add(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    /// Reads it.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Exemplars of differences between strategies, as small captures.
#[derive(Debug, Default)]
pub struct ExemplarBoard {
    /// Saved.
    pub saved: Tally,
    /// Found and not saved: the saving thread was behind, the disk refused, or the folder is full.
    pub lost: Tally,
}
