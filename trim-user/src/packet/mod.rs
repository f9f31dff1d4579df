//! From a captured frame to the TCP segment inside it. Pure: no I/O, no clock, no allocation.

mod bytes;
mod dissect;
mod ip;
mod link;

pub use dissect::{dissect, transport_end};
pub use link::LinkType;

use trim_common::flow::{Direction, FlowKey};

/// What a frame turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dissection {
    /// A TCP segment whose whole TCP header was captured.
    Tcp(TcpLayout),
    /// A fragment of an IP datagram that may carry TCP; kept whole, never interpreted.
    Fragment,
    /// Anything else, damaged headers included.
    Other,
}

/// Where the parts of a TCP segment stand in its frame, and the header fields that trimming needs.
///
/// Offsets count from the first byte of the frame. `payload_offset <= payload_end <= frame length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpLayout {
    /// The flow, with its endpoints in canonical order.
    pub flow: FlowKey,
    /// Which endpoint sent this segment.
    pub direction: Direction,
    /// Offset of the innermost IP header.
    pub l3_offset: u32,
    /// Offset of the TCP header.
    pub l4_offset: u32,
    /// Offset of the first payload byte.
    pub payload_offset: u32,
    /// Offset behind the last *captured* payload byte (link-layer padding lies behind it).
    pub payload_end: u32,
    /// Payload length on the wire by the IP header, bytes; more than captured when the frame was cut by a snaplen.
    pub wire_payload: u32,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number; meaningful only with ACK set.
    pub acknowledgment: u32,
    /// The TCP flags.
    pub flags: TcpFlags,
}

/// The flag byte of a TCP header (RFC 9293 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// FIN set.
    #[inline]
    pub const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// SYN set.
    #[inline]
    pub const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// RST set.
    #[inline]
    pub const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// ACK set.
    #[inline]
    pub const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}
