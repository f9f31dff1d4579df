//! A block: type, length, body, length again.

use super::super::MAX_BLOCK;
use super::super::bytes::Order;
use super::super::error::Fault;

/// Block types (pcapng section 11.3).
pub(super) mod kind {
    pub(in super::super) const SECTION_HEADER: u32 = 0x0a0d_0d0a;
    pub(in super::super) const INTERFACE: u32 = 1;
    pub(in super::super) const OBSOLETE_PACKET: u32 = 2;
    pub(in super::super) const SIMPLE_PACKET: u32 = 3;
    pub(in super::super) const STATISTICS: u32 = 5;
    pub(in super::super) const ENHANCED_PACKET: u32 = 6;
    pub(in super::super) const SECRETS: u32 = 10;
}

/// Size of the smallest block, an empty one; also what a section header needs to tell its byte order.
pub(super) const LEAST: usize = 12;

/// A whole block whose lengths agree and suffice for the fixed fields of its type.
#[derive(Debug)]
pub(super) struct Block<'a> {
    pub(super) kind: u32,
    pub(super) order: Order,
    /// All of it, both length fields included.
    pub(super) bytes: &'a [u8],
}

impl<'a> Block<'a> {
    /// The length of the block that `bytes` (at least [`LEAST`]) start with.
    #[inline]
    pub(super) fn length(bytes: &[u8], order: Order) -> Result<usize, Fault> {
        let (kind, length) = (order.u32(bytes, 0), order.u32(bytes, 4));
        let least = least(kind);
        if length > MAX_BLOCK || !length.is_multiple_of(4) || (length as usize) < least {
            return Err(Fault::BlockLength { kind, length, least });
        }
        Ok(length as usize)
    }

    /// The block that `bytes` hold exactly, by [`Block::length`].
    #[inline]
    pub(super) fn new(bytes: &'a [u8], order: Order) -> Result<Self, Fault> {
        let (kind, leading) = (order.u32(bytes, 0), order.u32(bytes, 4));
        let trailing = order.u32(bytes, bytes.len() - 4);
        if leading != trailing {
            return Err(Fault::BlockEnds {
                kind,
                leading,
                trailing,
            });
        }
        Ok(Self { kind, order, bytes })
    }

    /// The number at an offset inside the fixed fields.
    #[inline]
    pub(super) fn u16(&self, at: usize) -> u16 {
        self.order.u16(self.bytes, at)
    }

    /// The number at an offset inside the fixed fields.
    #[inline]
    pub(super) fn u32(&self, at: usize) -> u32 {
        self.order.u32(self.bytes, at)
    }

    /// A 64-bit number stored as two halves, the higher one first, at an offset inside the fixed fields.
    #[inline]
    pub(super) fn high_low(&self, at: usize) -> u64 {
        (u64::from(self.u32(at)) << 32) | u64::from(self.u32(at + 4))
    }

    /// Everything from an offset inside the fixed fields to the trailing length.
    pub(super) fn body(&self, from: usize) -> &'a [u8] {
        &self.bytes[from..self.bytes.len() - 4]
    }
}

/// The least length of a block of this type: its fixed fields and both lengths.
#[inline]
fn least(kind: u32) -> usize {
    match kind {
        kind::SECTION_HEADER => 28,
        kind::INTERFACE => 20,
        kind::OBSOLETE_PACKET | kind::ENHANCED_PACKET => 32,
        kind::SIMPLE_PACKET => 16,
        kind::STATISTICS => 24,
        _ => LEAST,
    }
}
