//! What one trimmer tells the other when it takes a flow over: exactly where each direction stands.

use crate::http::{ChunkParser, HeaderBlockParser, Method};

/// A flow of which everything so far was seen and understood.
#[derive(Debug)]
pub(super) struct Handover {
    /// Both directions, by [`Direction::index`](trim_common::flow::Direction::index).
    pub(super) directions: [Standpoint; 2],
    /// Index of the direction that sends requests.
    pub(super) client: u8,
    /// Method of each request that is not answered yet, and whether it asks for another protocol.
    pub(super) outstanding: Vec<(Method, bool)>,
}

/// Where a direction stands. Positions are sequence numbers continued to 64 bits, the first being near 2^32.
#[derive(Debug)]
pub(super) struct Standpoint {
    /// First byte of the direction.
    pub(super) base: u64,
    /// Behind the newest byte seen.
    pub(super) top: u64,
    /// Everything before is understood. [`ENDLESS`](Self::ENDLESS) in content that ends with the connection.
    pub(super) parsed: u64,
    /// Highest position that the other end has acknowledged.
    pub(super) acknowledged: u64,
    /// The latest content that is removed: from and to.
    pub(super) content: (u64, u64),
    /// Content bytes of the current message that are still to be kept.
    pub(super) keep_left: u32,
    /// What is expected at `parsed`.
    pub(super) next: Next,
}

impl Standpoint {
    pub(super) const ENDLESS: u64 = u64::MAX;
}

/// What is expected next.
#[derive(Debug)]
pub(super) enum Next {
    /// A message.
    Message,
    /// The rest of a header block.
    Block(HeaderBlockParser),
    /// Chunked coding, outside of the data.
    Chunk(ChunkParser),
}
