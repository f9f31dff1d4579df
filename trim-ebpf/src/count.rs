//! Counts packets by reason.

use core::ptr::NonNull;

use trim_common::maps;
use trim_common::reason::{Count, Reason};

use crate::maps::COUNTERS;

/// The counters of the CPU that runs the program.
pub struct Counters(NonNull<maps::Counters>);

impl Counters {
    /// Looked up once per packet.
    #[inline(always)]
    pub fn of_this_cpu() -> Option<Self> {
        NonNull::new(COUNTERS.get_ptr_mut(0)?).map(Self)
    }
}

impl Count for Counters {
    #[inline(always)]
    fn count(&mut self, reason: Reason) {
        // SAFETY: `reason.index() < Reason::COUNT`, the length of the array that the map holds for this CPU, and XDP
        // programs of one CPU do not interrupt each other.
        unsafe { (*self.0.as_ptr())[reason.index()] += 1 };
    }
}
