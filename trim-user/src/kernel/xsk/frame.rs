//! The descriptor of a packet in a frame pool.

/// Where a chunk of the pool starts, bytes from the start of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FrameAddress(pub(super) u32);

/// A packet in a frame of a pool: the right to its bytes, in 8 bytes.
///
/// It is made when a packet is received and can be neither copied nor cloned, so there is one owner at any time. It
/// travels through channels by value, and ends in [`Queue::recycle`](super::Queue::recycle) of the queue it came from.
/// One that is dropped elsewhere is missing from the pool until the queue is closed; `audit` shows it as handed out.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use = "a frame that is not recycled is missing from its pool"]
pub struct Frame(u64);

const _: () = assert!(size_of::<Frame>() == 8);

impl Frame {
    /// Packs the parts: pool number, packet length and packet offset in the pool.
    ///
    /// Only [`Umem`](super::Umem) calls this, after checking that the packet lies inside one chunk of the pool and that
    /// the chunk's place is nowhere else.
    #[inline]
    pub(super) const fn new(pool: u16, offset: u32, length: u16) -> Self {
        Self((pool as u64) << 48 | (length as u64) << 32 | offset as u64)
    }

    /// The number of the pool this frame belongs to, unique in this process.
    #[inline]
    pub const fn pool(&self) -> u16 {
        (self.0 >> 48) as u16
    }

    /// Packet bytes.
    #[inline]
    #[allow(clippy::len_without_is_empty, reason = "a packet has at least an Ethernet header")]
    pub const fn len(&self) -> usize {
        (self.0 >> 32 & 0xffff) as usize
    }

    /// Offset of the packet in the pool, bytes.
    #[inline]
    pub(super) const fn offset(&self) -> u32 {
        self.0 as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_survives_the_packing() {
        let frame = Frame::new(0xabcd, 0xffff_ff00, 4096);
        assert_eq!((frame.pool(), frame.offset(), frame.len()), (0xabcd, 0xffff_ff00, 4096));
    }
}
