//! How long a message body is: RFC 9112 section 6.3 as pure functions.

use super::fields::{ContentLength, FramingFields, TransferEncoding};
use super::start_line::Method;

/// How the body of a message is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body: the next message follows at once.
    None,
    /// This many bytes, at least 1.
    Length(u64),
    /// Chunked coding.
    Chunked,
    /// Everything until the connection ends.
    UntilClose,
    /// No HTTP from here on, in both directions: a tunnel or another protocol.
    Switch,
    /// The length cannot be told; a recipient must not go on reading the connection.
    Reject,
}

/// Framing of a request.
pub fn request_framing(fields: &FramingFields) -> Framing {
    match fields.transfer_encoding {
        TransferEncoding::Chunked => Framing::Chunked,
        TransferEncoding::Other => Framing::Reject,
        TransferEncoding::Absent => length_framing(fields.content_length, Framing::None),
    }
}

/// Framing of a response with this status code to a request with this method. [`Method::HeadLike`] counts as another
/// method here; whoever calls should look at the bytes that follow, as it should when it does not know the method.
pub fn response_framing(status: u16, method: Method, fields: &FramingFields) -> Framing {
    match (status, method) {
        (101, _) | (200..=299, Method::Connect) => return Framing::Switch,
        (100..=199 | 204 | 304, _) | (_, Method::Head) => return Framing::None,
        _ => {}
    }
    match fields.transfer_encoding {
        TransferEncoding::Chunked => Framing::Chunked,
        TransferEncoding::Other => Framing::UntilClose,
        TransferEncoding::Absent => length_framing(fields.content_length, Framing::UntilClose),
    }
}

fn length_framing(length: ContentLength, absent: Framing) -> Framing {
    match length {
        ContentLength::Absent => absent,
        ContentLength::Valid(0) => Framing::None,
        ContentLength::Valid(length) => Framing::Length(length),
        ContentLength::Invalid => Framing::Reject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(content_length: ContentLength, transfer_encoding: TransferEncoding) -> FramingFields {
        FramingFields {
            content_length,
            transfer_encoding,
            upgrade: false,
        }
    }

    const NO_LENGTH: ContentLength = ContentLength::Absent;
    const NO_CODING: TransferEncoding = TransferEncoding::Absent;

    #[test]
    fn requests_without_a_length_have_no_body() {
        assert_eq!(request_framing(&fields(NO_LENGTH, NO_CODING)), Framing::None);
        assert_eq!(
            request_framing(&fields(ContentLength::Valid(0), NO_CODING)),
            Framing::None
        );
        assert_eq!(
            request_framing(&fields(ContentLength::Valid(9), NO_CODING)),
            Framing::Length(9)
        );
        assert_eq!(
            request_framing(&fields(ContentLength::Invalid, NO_CODING)),
            Framing::Reject
        );
    }

    #[test]
    fn transfer_encoding_overrides_content_length() {
        for length in [NO_LENGTH, ContentLength::Valid(9), ContentLength::Invalid] {
            let chunked = fields(length, TransferEncoding::Chunked);
            assert_eq!(request_framing(&chunked), Framing::Chunked);
            assert_eq!(response_framing(200, Method::Other, &chunked), Framing::Chunked);
            let other = fields(length, TransferEncoding::Other);
            assert_eq!(request_framing(&other), Framing::Reject);
            assert_eq!(response_framing(200, Method::Other, &other), Framing::UntilClose);
        }
    }

    #[test]
    fn some_answers_never_have_a_body() {
        let long = fields(ContentLength::Valid(9), TransferEncoding::Chunked);
        for status in [100, 102, 103, 199, 204, 304] {
            assert_eq!(
                response_framing(status, Method::Other, &long),
                Framing::None,
                "{status}"
            );
        }
        assert_eq!(response_framing(200, Method::Head, &long), Framing::None);
        assert_eq!(response_framing(404, Method::Head, &long), Framing::None);
    }

    #[test]
    fn switching_ends_http() {
        let long = fields(ContentLength::Valid(9), NO_CODING);
        assert_eq!(response_framing(101, Method::Other, &long), Framing::Switch);
        assert_eq!(response_framing(200, Method::Connect, &long), Framing::Switch);
        assert_eq!(response_framing(299, Method::Connect, &long), Framing::Switch);
        assert_eq!(response_framing(407, Method::Connect, &long), Framing::Length(9));
        let bare = fields(NO_LENGTH, NO_CODING);
        assert_eq!(response_framing(200, Method::Other, &bare), Framing::UntilClose);
    }
}
