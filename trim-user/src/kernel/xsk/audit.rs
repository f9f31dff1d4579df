//! Where all the frames of a queue are.

/// The place of every frame of one queue's pool. Exact while no packets arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Frames in the pool.
    pub total: u64,
    /// On the free list.
    pub free: u64,
    /// In the fill ring, not yet taken by the kernel.
    pub fill_ring: u64,
    /// With the kernel: being received into, or kept by it for the next packet. At most one in copy mode at rest.
    pub kernel: u64,
    /// In the RX rings, received and not yet taken.
    pub rx_rings: u64,
    /// Handed out as [`Frame`](super::Frame)s and not yet recycled.
    pub handed_out: u64,
    /// Descriptors from the kernel that did not name a packet inside the pool. Their frames are gone; always 0 unless
    /// the kernel or the driver is broken.
    pub rejected: u64,
    /// Chunks found in more than one place, or more than once. Always 0.
    pub duplicated: u64,
}

impl Audit {
    /// Whether every frame is in exactly one known place.
    pub const fn is_whole(&self) -> bool {
        let places = self.free + self.fill_ring + self.kernel + self.rx_rings + self.handed_out;
        places == self.total && self.rejected == 0 && self.duplicated == 0
    }
}

/// A set of chunk numbers that remembers repetitions.
#[derive(Debug)]
pub(super) struct ChunkSet {
    seen: Vec<bool>,
    repeated: u64,
}

impl ChunkSet {
    pub(super) fn new(chunks: usize) -> Self {
        Self {
            seen: vec![false; chunks],
            repeated: 0,
        }
    }

    /// Adds a chunk; one outside the pool counts like a repetition.
    pub(super) fn insert(&mut self, chunk: u64) {
        match usize::try_from(chunk).ok().and_then(|chunk| self.seen.get_mut(chunk)) {
            Some(seen) if !*seen => *seen = true,
            _ => self.repeated += 1,
        }
    }

    pub(super) const fn repeated(&self) -> u64 {
        self.repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_repeated_frame_is_not_whole() {
        let whole = Audit {
            total: 10,
            free: 1,
            fill_ring: 2,
            kernel: 1,
            rx_rings: 2,
            handed_out: 4,
            ..Audit::default()
        };
        assert!(whole.is_whole());
        assert!(!Audit { free: 0, ..whole }.is_whole());
        assert!(!Audit { duplicated: 1, ..whole }.is_whole());
        assert!(!Audit { rejected: 1, ..whole }.is_whole());
    }

    #[test]
    fn repetitions_and_strangers_are_found() {
        let mut set = ChunkSet::new(3);
        for chunk in [0, 2, 0, 3] {
            set.insert(chunk);
        }
        assert_eq!(set.repeated(), 2);
    }
}
