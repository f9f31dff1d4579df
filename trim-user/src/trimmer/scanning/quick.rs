//! One look at a header block that lies whole in one segment and is written the way nearly all are.
//!
//! The lines are found by a vectorised search for LF; of each only the first byte is read, unless it could begin a
//! field that decides framing. Whatever is unusual (folded lines, blanks before a colon, lists, repeated fields, odd
//! start lines) is left to [`HeaderBlockParser`](crate::http::HeaderBlockParser), which is slower and knows all of it.

use memchr::memchr_iter;

use crate::http::{ContentLength, FramingFields, HeaderBlock, Method, StartLine, TransferEncoding};

/// Reads the block at the beginning of `bytes`: its length and what it says. `None` when it does not end within
/// `bytes` or is not of the usual form, which says nothing about whether it is a header block.
pub(super) fn read(bytes: &[u8]) -> Option<(usize, HeaderBlock)> {
    let mut ends = memchr_iter(b'\n', bytes);
    let first = ends.next()? + 1;
    let start = start_line(bytes.get(..first)?)?;
    let mut fields = FramingFields::default();
    let mut line = first;
    for end in ends {
        match *bytes.get(line)? {
            b'\n' => return Some((line + 1, HeaderBlock { start, fields })),
            b'\r' if end == line + 1 => return Some((line + 2, HeaderBlock { start, fields })),
            b'C' | b'c' => content_length(bytes.get(line..end)?, &mut fields)?,
            b'T' | b't' => transfer_encoding(bytes.get(line..end)?, &mut fields)?,
            b'U' | b'u' => upgrade(bytes.get(line..end)?, &mut fields)?,
            b'\r' | b' ' | b'\t' | 0x0b | 0x0c => return None,
            _ => {}
        }
        line = end + 1;
    }
    None
}

fn start_line(line: &[u8]) -> Option<StartLine> {
    match line {
        [b'H', b'T', b'T', b'P', b'/', rest @ ..] => status_line(rest),
        _ => request_line(line),
    }
}

/// `rest` stands behind `HTTP/`.
fn status_line(rest: &[u8]) -> Option<StartLine> {
    let [b'1', b'.', b'0'..=b'9', b' ', a, b, c, b' ' | b'\r', ..] = *rest else {
        return None;
    };
    if rest.get(7) == Some(&b'\r') && rest.len() != 9 {
        return None;
    }
    let digits = [a, b, c];
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = digits
        .iter()
        .fold(0, |status, digit| status * 10 + u16::from(digit - b'0'));
    Some(StartLine::Response { status })
}

/// `METHOD target HTTP/1.x` with an upper-case method, single spaces and CRLF.
fn request_line(line: &[u8]) -> Option<StartLine> {
    let (front, version) = line.split_last_chunk::<11>()?;
    let [
        b' ',
        b'H',
        b'T',
        b'T',
        b'P',
        b'/',
        b'1',
        b'.',
        b'0'..=b'9',
        b'\r',
        b'\n',
    ] = version
    else {
        return None;
    };
    let length = front.iter().position(|byte| !byte.is_ascii_uppercase())?;
    let (method, target) = front.split_at(length);
    let ([_, ..], [b' ', byte, ..]) = (method, target) else {
        return None;
    };
    if byte.is_ascii_whitespace() || *byte == 0x0b {
        return None;
    }
    let method = match method {
        b"HEAD" => Method::Head,
        b"CONNECT" => Method::Connect,
        _ => Method::Other,
    };
    Some(StartLine::Request { method })
}

/// The value of the field called `name` if `line` is one; `None` in the middle when it is only nearly one.
fn value<'l>(line: &'l [u8], name: &[u8]) -> Option<Option<&'l [u8]>> {
    let Some((front, rest)) = line.split_at_checked(name.len()) else {
        return Some(None);
    };
    if !front.eq_ignore_ascii_case(name) {
        return Some(None);
    }
    match rest {
        [b':', value @ ..] => Some(Some(value.trim_ascii())),
        // Blanks before the colon, or no colon at all.
        [b' ' | b'\t' | b'\r' | 0x0b | 0x0c, ..] | [] => None,
        _ => Some(None),
    }
}

/// Most digits of a length that is read here.
const MOST_DIGITS: usize = 18;

fn content_length(line: &[u8], fields: &mut FramingFields) -> Option<()> {
    let Some(digits) = value(line, b"content-length")? else {
        return Some(());
    };
    let is_plain = !digits.is_empty() && digits.len() <= MOST_DIGITS && digits.iter().all(u8::is_ascii_digit);
    if !is_plain || fields.content_length != ContentLength::Absent {
        return None;
    }
    let length = digits
        .iter()
        .fold(0, |length, digit| length * 10 + u64::from(digit - b'0'));
    fields.content_length = ContentLength::Valid(length);
    Some(())
}

fn transfer_encoding(line: &[u8], fields: &mut FramingFields) -> Option<()> {
    let Some(coding) = value(line, b"transfer-encoding")? else {
        return Some(());
    };
    if !coding.eq_ignore_ascii_case(b"chunked") || fields.transfer_encoding != TransferEncoding::Absent {
        return None;
    }
    fields.transfer_encoding = TransferEncoding::Chunked;
    Some(())
}

fn upgrade(line: &[u8], fields: &mut FramingFields) -> Option<()> {
    fields.upgrade |= value(line, b"upgrade")?.is_some();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{BlockStep, Expected, HeaderBlockParser, RedactedFields};

    fn slow(bytes: &[u8]) -> Option<(usize, HeaderBlock)> {
        let mut parser = HeaderBlockParser::new(Expected::Any, false);
        match parser.feed(bytes, 1 << 20, &RedactedFields::default(), &mut |_, _| {}) {
            BlockStep::Done { consumed, block } => Some((consumed, block)),
            _ => None,
        }
    }

    #[test]
    fn usual_blocks_are_read_at_once() {
        for block in [
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nrest",
            "HEAD /a b HTTP/1.0\r\n\r\n",
            "CONNECT a:1 HTTP/1.1\r\nUpgrade: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\r\n\r\n",
            "HTTP/1.1 200\r\ncontent-length:0\r\nTRANSFER-encoding:\tChunked \r\n\r\n",
            "HTTP/1.1 200 OK\nContent-Type: a\nTrailer: b\nCookie\n\n",
        ] {
            let found = read(block.as_bytes());
            assert!(found.is_some(), "{block:?}");
            assert_eq!(found, slow(block.as_bytes()), "{block:?}");
        }
    }

    #[test]
    fn unusual_blocks_are_left_to_the_parser() {
        for block in [
            "\r\nGET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length : 5\r\n\r\n",
            "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n",
            "GET / HTTP/1.1\r\nContent-Length\r\n\r\n",
            "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "GET / HTTP/1.1\r\n\rContent-Length: 5\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n",
            "get / HTTP/1.1\r\n\r\n",
            "GET HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200\rx\r\n\r\n",
        ] {
            assert_eq!(read(block.as_bytes()), None, "{block:?}");
        }
    }

    /// Whatever is answered at all is answered as the parser would: blocks made of awkward pieces in all combinations.
    #[test]
    fn no_answer_contradicts_the_parser() {
        let starts = [
            "GET / HTTP/1.1\r\n",
            "HTTP/1.1 304 x\n",
            "PUT  / HTTP/1.1\r\n",
            "A\tb HTTP/1.1\r\n",
            "X / / HTTP/1.1\r\n",
        ];
        let lines = [
            "Content-Length: 7\r\n",
            "content-length:\r\n",
            "Content-Length: 1 2\r\n",
            "Content-LengthX: 7\r\n",
            " folded\r\n",
            "Transfer-Encoding: chunked\n",
            "transfer-encoding:identity\r\n",
            "upgrade: h2c\r\n",
            "Upgrade \r\n",
            ": x\r\n",
            "\r\r\n",
            "Content-Length: \x0b7\r\n",
            "Content-Length:7\r\r\n",
            "x\r\n",
            "Content-Length: 9999999999999999999\r\n",
            "\n",
            "\r\n",
        ];
        let mut answered = 0;
        for start in starts {
            for one in lines {
                for two in lines {
                    for three in lines {
                        let block = [start, one, two, three, "\r\n"].concat();
                        if let Some(found) = read(block.as_bytes()) {
                            assert_eq!(Some(found), slow(block.as_bytes()), "{block:?}");
                            answered += 1;
                        }
                    }
                }
            }
        }
        assert!(answered > 1000, "{answered}");
    }
}
