//! Whether the capture itself loses packets.

use std::sync::atomic::{AtomicU64, Ordering};

/// How long an overload lasts at least, nanoseconds: as long as packets wait by default for others that may be lost.
const LASTS_NS: u64 = 1_000_000_000;

/// Says that packets come faster than they are taken. Receiving threads notice it, workers act by it.
#[derive(Debug, Default)]
pub struct Overload {
    /// CLOCK_MONOTONIC, nanoseconds; 0 before the first one.
    until: AtomicU64,
    begun: AtomicU64,
}

impl Overload {
    /// Notes a sign of overload at `now` (CLOCK_MONOTONIC, nanoseconds); whether it is the first one after a while.
    pub fn note(&self, now: u64) -> bool {
        let begins = self.until.swap(now.saturating_add(LASTS_NS), Ordering::Relaxed) <= now;
        if begins {
            self.begun.fetch_add(1, Ordering::Relaxed);
        }
        begins
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether there was a sign of overload lately.
    #[inline]
    pub fn is_on(&self, now: u64) -> bool {
        self.until.load(Ordering::Relaxed) > now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overload_begins_once_and_ends_a_while_after_its_last_sign() {
        let overload = Overload::default();
        assert!(!overload.is_on(5));
        assert!(overload.note(5));
        assert!(overload.is_on(5 + LASTS_NS - 1) && !overload.is_on(5 + LASTS_NS));
        assert!(!overload.note(6), "it is the same one");
        assert!(overload.is_on(5 + LASTS_NS));
        assert!(overload.note(6 + LASTS_NS), "another one");
        assert_eq!(overload.count(), 2);
    }
}
