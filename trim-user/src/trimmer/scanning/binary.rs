//! Bytes that cannot belong to a header block or trailer section, although nobody knows where they stand.
//!
//! Behind a gap the framing is lost, but what is searched for, header blocks and trailers, is text: a field line has
//! no control characters but HTAB (RFC 9110 section 5.5, RFC 9112 section 4 and 5), and a header block begins with a
//! line that holds `HTTP/`. So within one segment
//! - bytes in front of the [`ENOUGH`]th control character may end a header block that began in an earlier segment, and
//!   are kept. A few control characters do occur in sloppy header values; that many are taken for content;
//! - a header block that begins later in the segment holds `HTTP/`; a trailer section stands behind a last chunk, which
//!   is a line that begins with `0`. From the last control character before either on, everything is kept;
//! - a header block or trailer section of which only the first bytes stand at the end of the segment has no control
//!   character: behind the last one everything is kept.
//!
//! What lies between is content, and no header byte can be among it.

use std::ops::Range;

use memchr::memchr_iter;
use memchr::memmem::Finder;

/// Control characters that no header block has.
const ENOUGH: usize = 8;

/// Searches built once.
#[derive(Debug)]
pub(super) struct BinaryContent {
    slash_one: Finder<'static>,
}

impl BinaryContent {
    pub(super) fn new() -> Self {
        Self {
            slash_one: Finder::new(b"/1."),
        }
    }

    /// The bytes of `payload` that are certainly content; may be empty.
    pub(super) fn find(&self, payload: &[u8]) -> Range<usize> {
        let mut seen = 0;
        let Some(first) = payload.iter().position(|&byte| {
            seen += usize::from(is_control(byte));
            seen == ENOUGH
        }) else {
            return 0..0;
        };
        let rest = payload.get(first..).unwrap_or_default();
        let text = self.protocol(rest).min(last_chunk(rest));
        let before = rest.get(..text).unwrap_or_default();
        match before.iter().rposition(|&byte| is_control(byte)) {
            Some(last) => first..first + last + 1,
            None => 0..0,
        }
    }

    /// Offset of the first `HTTP/0.` or `HTTP/1.` in any case, or the length.
    fn protocol(&self, bytes: &[u8]) -> usize {
        let is_protocol = |slash: usize| {
            let name = slash.checked_sub(4).and_then(|start| bytes.get(start..slash));
            name.is_some_and(|name| name.eq_ignore_ascii_case(b"HTTP"))
        };
        let one = self.slash_one.find_iter(bytes).find(|&slash| is_protocol(slash));
        let within = one.map_or(bytes.len(), |slash| slash - 4);
        let zero = memchr::memmem::find_iter(bytes.get(..within).unwrap_or_default(), b"/0.")
            .find(|&slash| is_protocol(slash));
        zero.map_or(within, |slash| slash - 4)
    }
}

/// Offset of the first line end with a line behind it that may be a last chunk, or the length.
fn last_chunk(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes)
        .find(|&end| {
            let line = bytes.get(end + 1..).unwrap_or_default();
            line.iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'0')
        })
        .unwrap_or(bytes.len())
}

/// Control characters that text does not have; DEL is one.
const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f)
}
