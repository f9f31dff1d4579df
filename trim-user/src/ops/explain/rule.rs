//! How the end of a message is known, in words and with the place in the standard.

use crate::http::{ContentLength, Framing, HeaderBlock, Method, StartLine, TransferEncoding};
use crate::http::{request_framing, response_framing};

/// A rule of framing. Items are those of the list in RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Answer to HEAD.
    AnswerToHead,
    /// 1xx, 204, 304.
    Status(u16),
    /// 101.
    Upgraded,
    /// 2xx to CONNECT.
    Connected,
    /// Chunked; with a Content-Length to be ignored or not.
    Chunked {
        /// A Content-Length stands there too.
        overrides: bool,
    },
    /// A transfer coding that does not end in chunked, in a response.
    CodedUntilClose,
    /// The same in a request.
    CodedRequest,
    /// Content-Length.
    Length(u64),
    /// Content-Length that is no number, or more than one.
    BadLength,
    /// A request without either.
    PlainRequest,
    /// A response without either.
    UntilClose,
    /// HTTP/0.9.
    Simple,
    /// By the fields there is a body, but the next message stands where it should be.
    NextMessageFollows,
}

impl Rule {
    /// The rule for a header block. `asked` is the method of the request, for a response.
    pub(super) fn of(block: &HeaderBlock, asked: Method) -> Self {
        let fields = &block.fields;
        let framing = match block.start {
            StartLine::Simple => return Self::Simple,
            StartLine::Request { .. } => request_framing(fields),
            StartLine::Response { status } => match (status, asked) {
                (101, _) => return Self::Upgraded,
                (200..=299, Method::Connect) => return Self::Connected,
                (100..=199 | 204 | 304, _) => return Self::Status(status),
                (_, Method::Head) => return Self::AnswerToHead,
                _ => response_framing(status, asked, fields),
            },
        };
        let is_request = matches!(block.start, StartLine::Request { .. });
        let has_length = fields.content_length != ContentLength::Absent;
        match framing {
            Framing::Chunked => Self::Chunked { overrides: has_length },
            Framing::Length(length) => Self::Length(length),
            Framing::None if has_length => Self::Length(0),
            Framing::None => Self::PlainRequest,
            Framing::Reject if fields.transfer_encoding == TransferEncoding::Other => Self::CodedRequest,
            Framing::Reject => Self::BadLength,
            _ if fields.transfer_encoding == TransferEncoding::Other && !is_request => Self::CodedUntilClose,
            _ => Self::UntilClose,
        }
    }

    /// Whether a body follows, if it has any bytes.
    pub(super) const fn has_body(self) -> bool {
        matches!(
            self,
            Self::Chunked { .. } | Self::CodedUntilClose | Self::Length(1..) | Self::UntilClose
        )
    }

    /// Whether a recipient must not go on reading.
    pub(super) const fn is_rejected(self) -> bool {
        matches!(self, Self::CodedRequest | Self::BadLength)
    }

    /// What it says, with its source.
    pub(super) fn text(self) -> String {
        match self {
            Self::AnswerToHead => "no body: it answers HEAD (RFC 9112 6.3, item 1)".to_owned(),
            Self::Status(status) => format!("no body: status {status} never has one (RFC 9112 6.3, item 1)"),
            Self::Upgraded => "end of HTTP: 101 switches protocols (RFC 9110 15.2.2)".to_owned(),
            Self::Connected => "end of HTTP: a tunnel, 2xx to CONNECT (RFC 9112 6.3, item 2)".to_owned(),
            Self::Chunked { overrides: false } => "chunked body (RFC 9112 6.3, item 4, and 7.1)".to_owned(),
            Self::Chunked { overrides: true } => {
                "chunked body: Transfer-Encoding overrides Content-Length (RFC 9112 6.3, items 3 and 4)".to_owned()
            }
            Self::CodedUntilClose => {
                "body until close: its last coding is not chunked (RFC 9112 6.3, item 4)".to_owned()
            }
            Self::CodedRequest => {
                "rejected: a request whose last coding is not chunked has no known end (RFC 9112 6.3, item 4)"
                    .to_owned()
            }
            Self::Length(length) => format!("body of {length} bytes by Content-Length (RFC 9112 6.3, item 6)"),
            Self::BadLength => "rejected: its Content-Length is not one number (RFC 9112 6.3, item 5)".to_owned(),
            Self::PlainRequest => "no body: a request without a length has none (RFC 9112 6.3, item 7)".to_owned(),
            Self::UntilClose => "body until close: a response without a length (RFC 9112 6.3, item 8)".to_owned(),
            Self::Simple => "HTTP/0.9: the answer is all body".to_owned(),
            Self::NextMessageFollows => {
                "no body: the next message follows at once, so that it must answer HEAD (RFC 9112 6.3, item 1)"
                    .to_owned()
            }
        }
    }
}
