//! What trimmers have promised to be body: so that after a switch, which gives a flow to a trimmer that has not seen how its
//! message began, the rest of a body still goes.

use std::sync::atomic::{AtomicU64, Ordering};

use trim_common::cut::{LIFETIME_NS, LONGEST};
use trim_common::flow::{Direction, FlowKey};

/// Directions that are remembered at a time; a power of two. Another one at the same place displaces the first, whose body
/// is then kept.
const SLOTS: usize = 1 << 16;
/// A promise that is used is renewed when it is this old, nanoseconds.
const RENEWAL_NS: u64 = LIFETIME_NS / 4;

/// Ranges of sequence numbers by direction. Any number of threads may make promises and look them up; nobody waits.
#[derive(Debug)]
pub struct Promises {
    slots: Box<[Slot]>,
    /// Promises made before do not count, CLOCK_MONOTONIC nanoseconds.
    since: AtomicU64,
}

/// Three words that two threads may write at once: the seal tells whether they belong together, and whose they are.
#[derive(Debug, Default)]
struct Slot {
    seal: AtomicU64,
    /// The first sequence number, and how many.
    range: AtomicU64,
    /// CLOCK_MONOTONIC, nanoseconds.
    made: AtomicU64,
}

impl Slot {
    /// Range and time, when they are of the direction `name`.
    fn read(&self, name: u64) -> Option<(u64, u64)> {
        let sealed = self.seal.load(Ordering::Relaxed);
        let (range, made) = (self.range.load(Ordering::Relaxed), self.made.load(Ordering::Relaxed));
        (sealed == seal(name, range, made)).then_some((range, made))
    }
}

impl Default for Promises {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| Slot::default()).collect(),
            since: AtomicU64::new(0),
        }
    }
}

impl Promises {
    /// Of the direction `name`, `length` bytes from sequence number `from` on are body, as was known from a packet at `now`
    /// (CLOCK_MONOTONIC, nanoseconds). Takes the place of an earlier promise, not of what a later packet has shown.
    pub fn make(&self, name: u64, from: u32, length: u32, now: u64) {
        let (slot, range) = (self.slot(name), u64::from(from) << 32 | u64::from(length.min(LONGEST)));
        if slot.read(name).is_some_and(|(_, made)| made > now) {
            return;
        }
        slot.range.store(range, Ordering::Relaxed);
        slot.made.store(now, Ordering::Relaxed);
        slot.seal.store(seal(name, range, now), Ordering::Relaxed);
    }

    /// Whether all `length` bytes from `sequence` on, of a packet of the direction `name` at `now`, were promised to be body.
    pub fn cover(&self, name: u64, sequence: u32, length: u32, now: u64) -> bool {
        let Some((range, made)) = self.slot(name).read(name) else {
            return false;
        };
        if made < self.since.load(Ordering::Acquire) || now.saturating_sub(made) > LIFETIME_NS {
            return false;
        }
        let (from, promised) = ((range >> 32) as u32, range as u32);
        let offset = sequence.wrapping_sub(from);
        let is_inside = offset < promised && length <= promised - offset;
        if is_inside && now.saturating_sub(made) > RENEWAL_NS {
            self.make(name, from, promised, now);
        }
        is_inside
    }

    /// The name of a direction of a flow. Two hashes: nobody without the seed can find another one with the same name.
    #[inline]
    pub fn name(flow: &FlowKey, seed: u64, direction: Direction) -> u64 {
        let (low, high) = (flow.hash(seed), flow.hash(!seed));
        (u64::from(high) << 32 | u64::from(low)) << 1 | direction.index() as u64
    }

    /// What was promised of the direction `name` before `now` (CLOCK_MONOTONIC, nanoseconds) does not count any more: another
    /// connection begins. A slower thread may still be at packets of the old one.
    pub fn forget(&self, name: u64, now: u64) {
        self.make(name, 0, 0, now);
    }

    /// What was promised before `now` (CLOCK_MONOTONIC, nanoseconds) does not count any more.
    pub fn withdraw(&self, now: u64) {
        self.since.fetch_max(now, Ordering::Release);
    }

    fn slot(&self, name: u64) -> &Slot {
        &self.slots[name as usize & (SLOTS - 1)]
    }
}

/// Ties the words to each other and to their direction. Odd multipliers with bits all over (the finaliser of SplitMix64).
const fn seal(name: u64, range: u64, made: u64) -> u64 {
    let mixed =
        name ^ range.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ made.rotate_left(32).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: u64 = 0x1234_5678_9abc_def1;

    #[test]
    fn what_lies_wholly_inside_is_covered_and_over_the_wrap_too() {
        let promises = Promises::default();
        promises.make(NAME, u32::MAX - 99, 1000, 5);
        for (sequence, length, expected) in [
            (u32::MAX - 99, 1000, true),
            (u32::MAX - 99, 1001, false),
            (u32::MAX - 100, 10, false),
            (100, 800, true),
            (899, 1, true),
            (900, 1, false),
        ] {
            assert_eq!(
                promises.cover(NAME, sequence, length, 6),
                expected,
                "{sequence} {length}"
            );
        }
    }

    #[test]
    fn a_promise_is_for_its_direction_and_for_a_while() {
        let promises = Promises::default();
        promises.make(NAME, 0, 1000, 5);
        assert!(
            !promises.cover(NAME ^ 1 << 40, 0, 1, 6),
            "another direction at the same place"
        );
        assert!(promises.cover(NAME, 0, 1, 5 + LIFETIME_NS));
        assert!(
            promises.cover(NAME, 0, 1, 5 + 2 * LIFETIME_NS),
            "it was used, and so renewed"
        );
        assert!(!promises.cover(NAME, 0, 1, 6 + 3 * LIFETIME_NS));
    }

    #[test]
    fn what_was_promised_before_a_withdrawal_does_not_count() {
        let promises = Promises::default();
        promises.make(NAME, 0, 1000, 5);
        promises.withdraw(6);
        promises.withdraw(4);
        assert!(!promises.cover(NAME, 0, 1, 7));
        promises.make(NAME, 0, 1000, 6);
        assert!(promises.cover(NAME, 0, 1, 7));
    }

    #[test]
    fn another_connection_begins_without_promises() {
        let promises = Promises::default();
        promises.make(NAME, 0, 1000, 5);
        promises.forget(NAME, 6);
        assert!(!promises.cover(NAME, 0, 1, 6));
        promises.make(NAME, 0, 1000, 5);
        assert!(!promises.cover(NAME, 0, 1, 6), "of the old connection");
        promises.make(NAME, 0, 1000, 7);
        assert!(promises.cover(NAME, 0, 1, 7));
    }

    #[test]
    fn words_that_do_not_belong_together_are_no_promise() {
        let promises = Promises::default();
        promises.make(NAME, 0, 1000, 5);
        for change in [1, 1 << 32] {
            let range = &promises.slot(NAME).range;
            let whole = range.fetch_add(change, Ordering::Relaxed);
            assert!(!promises.cover(NAME, 100, 1, 6));
            range.store(whole, Ordering::Relaxed);
        }
        promises.slot(NAME).made.store(6, Ordering::Relaxed);
        assert!(!promises.cover(NAME, 100, 1, 6));
    }
}
