//! What a format decoder finds at the start of the bytes it is given.

use std::ops::Range;

use crate::data::{Interface, InterfaceStatistics};

/// The next thing in the file. Lengths and ranges count from the first byte at hand.
#[derive(Debug)]
pub(super) enum Step {
    /// It needs this many bytes, more than are at hand, to be told or to be complete.
    Need(usize),
    /// Something that holds nothing for the reader.
    Skip { length: usize, kind: Skipped },
    /// The description of the next interface.
    Interface { length: usize, interface: Box<Interface> },
    /// Counts of an interface.
    Statistics {
        length: usize,
        interface: u32,
        statistics: Box<InterfaceStatistics>,
    },
    /// A packet.
    Packet(PacketStep),
}

/// A packet in the bytes at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PacketStep {
    pub(super) length: usize,
    pub(super) interface: u32,
    pub(super) time_ns: u64,
    /// The time is before 1970 or after 2554 and was moved to the nearest one that can be told.
    pub(super) time_clamped: bool,
    pub(super) original_length: u32,
    pub(super) data: Range<usize>,
}

/// Kinds of blocks that are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skipped {
    /// Structure of the file itself, such as a section header.
    Structure,
    /// Keys to decrypt the traffic with.
    Secrets,
    /// Any other block that is not about packets or interfaces.
    Other,
}
