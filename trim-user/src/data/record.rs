//! One packet on its way from a capture source to a sink.

/// A packet with what is known of it besides its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Index of the interface it was seen on: in the order in which the source described its interfaces, or as the
    /// sink numbered them.
    pub interface: u32,
    /// Capture time, nanoseconds since 1970-01-01 UTC; 0 where the file format has no time (Simple Packet Block).
    pub time_ns: u64,
    /// Length on the wire, bytes, as recorded. A few writers record less than they captured.
    pub original_length: u32,
    /// The captured bytes, from the link-layer header on.
    pub data: &'a [u8],
}
