//! What every TCP payload byte of a capture is, by framing whole streams.
//!
//! All packets are at hand before the first byte is judged, so nothing here is incremental: each direction is put
//! together in sequence space ([`stream`]), its messages are walked from the first byte to the last ([`walk`]), and a
//! packet asks for the regions its sequence numbers fall into.
//!
//! A byte is called [`Kind::Header`] or [`Kind::Body`] only where that is certain. Where a gap, a missing start or
//! malformed framing leaves room for doubt it is [`Kind::Opaque`], with the reason.

mod connection;
mod grammar;
mod stream;
mod walk;

use trim_common::flow::{Direction, FlowKey};

use crate::packet::TcpFlags;
use connection::Connections;

/// One TCP segment of the capture, in capture order.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// The flow it belongs to.
    pub flow: FlowKey,
    /// Which endpoint sent it.
    pub direction: Direction,
    /// Sequence number (of the SYN itself when SYN is set).
    pub sequence: u32,
    /// Acknowledgment number; meaningful only with ACK set.
    pub acknowledgment: u32,
    /// The TCP flags.
    pub flags: TcpFlags,
    /// The captured payload.
    pub payload: &'a [u8],
    /// Payload length on the wire, bytes.
    pub wire_payload: u32,
}

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Start line, field lines and the empty line behind them.
    Header,
    /// In a header block: a value of a field that was asked to be overwritten, with the white space around it.
    Secret,
    /// A blank line between messages (RFC 9112 section 2.2 lets a recipient ignore it).
    Blank,
    /// Trailer section with its final empty line.
    Trailer,
    /// Chunk-size lines and the line ends behind chunk data.
    Framing,
    /// Message content.
    Body,
    /// Nobody can say for certain, or it is not HTTP any more.
    Opaque,
    /// The connection never speaks HTTP.
    NotHttp,
}

/// A stretch of one packet's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte in the captured payload.
    pub start: usize,
    /// Offset behind the last byte.
    pub end: usize,
    /// What the bytes are.
    pub kind: Kind,
    /// For [`Kind::Body`]: how many content bytes of the same message stand before the first byte.
    pub content_offset: u64,
    /// Why, where that is not plain from the kind.
    pub reason: &'static str,
}

/// The spans of every packet's payload, in the order of `observed`. They tile the payload. `secrets` are the lower-case
/// names of the header fields whose values are [`Kind::Secret`].
pub fn spans(observed: &[Observed<'_>], secrets: &[String]) -> Vec<Vec<Span>> {
    let connections = Connections::group(observed);
    connections.spans(observed, secrets)
}
