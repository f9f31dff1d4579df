//! HTTP/1.x as bytes: start lines, header blocks, framing (RFC 9112). Pure, resumable at every byte, bounded.
//!
//! Every parser here is fed slices as they come, remembers what it needs in a few words of state, and never stores
//! the bytes it has seen. The order of use is [`HeaderBlockParser`] -> [`request_framing`] or [`response_framing`]
//! -> [`ChunkParser`].

mod chunked;
mod fields;
mod framing;
mod header_block;
mod start_line;

pub use chunked::{ChunkParser, ChunkPart, ChunkStep};
pub use fields::{ContentLength, FramingFields, TransferEncoding};
pub use framing::{Framing, request_framing, response_framing};
pub use header_block::{BlockPart, BlockStep, HeaderBlock, HeaderBlockParser, MAX_FIELD_NAME, RedactedFields};
pub use start_line::{
    Expected, LineStep, Method, Recognition, StartLine, StartLineParser, recognise_message, recognise_status_line,
};
