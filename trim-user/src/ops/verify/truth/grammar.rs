//! Lines of HTTP/1.x and what they say about a message's length (RFC 9112 sections 2 to 6), on whole lines only.

use std::ops::Range;

/// A recognised first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// `METHOD target HTTP/1.x`.
    Request {
        /// As sent.
        method: Vec<u8>,
    },
    /// `HTTP/1.x status reason`.
    Response {
        /// The status code.
        status: u16,
    },
    /// `GET /path`, HTTP/0.9.
    Simple,
    /// The beginning of a request line whose rest is missing.
    RequestPart,
    /// The beginning of a status line whose rest is missing.
    ResponsePart,
}

impl Start {
    /// Whether it opens a request.
    pub(super) fn is_request(&self) -> bool {
        matches!(self, Self::Request { .. } | Self::Simple | Self::RequestPart)
    }

    /// Whether it is a response, or a request whose method is whole beyond doubt because it is a well-known one.
    pub(super) fn has_common_method(&self) -> bool {
        match self {
            Self::Request { method } => METHODS.contains(&method.as_slice()),
            _ => true,
        }
    }

    /// Whether the whole line was there.
    pub(super) fn is_complete(&self) -> bool {
        !matches!(self, Self::RequestPart | Self::ResponsePart)
    }
}

/// How the content behind a header block is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// There is none.
    Empty,
    /// That many bytes.
    Length(u64),
    /// Chunks.
    Chunked,
    /// All bytes up to the end of the connection.
    UntilClose,
    /// The connection leaves HTTP here.
    Switch,
    /// A recipient must not guess.
    Reject,
}

const METHODS: [&[u8]; 11] = [
    b"GET",
    b"POST",
    b"PUT",
    b"HEAD",
    b"DELETE",
    b"OPTIONS",
    b"CONNECT",
    b"TRACE",
    b"PATCH",
    b"PROPFIND",
    b"REPORT",
];

/// Without its line end.
pub(super) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a line is empty.
pub(super) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

fn is_token(bytes: &[u8]) -> bool {
    let ok = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(ok)
}

fn is_space(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&byte| is_space(byte)).filter(|word| !word.is_empty())
}

/// `HTTP/0.x` or `HTTP/1.x`, in any case.
fn is_version(word: &[u8]) -> bool {
    matches!(word, [h, t1, t2, p, b'/', b'0' | b'1', b'.', minor]
        if [*h, *t1, *t2, *p].eq_ignore_ascii_case(b"HTTP") && minor.is_ascii_digit())
}

/// Recognises a whole first line. `simple` admits HTTP/0.9.
pub(super) fn start_line(line: &[u8], simple: bool) -> Option<Start> {
    let line = trim_line_end(line);
    if line.first().is_none_or(|&byte| is_space(byte)) {
        return None;
    }
    let all: Vec<&[u8]> = words(line).collect();
    match all.as_slice() {
        [version, status, ..] if is_version(version) => match status {
            [a, b, c] if status.iter().all(u8::is_ascii_digit) => Some(Start::Response {
                status: 100 * u16::from(a - b'0') + 10 * u16::from(b - b'0') + u16::from(c - b'0'),
            }),
            _ => None,
        },
        [method, _, .., version] if is_token(method) && is_version(version) => Some(Start::Request {
            method: method.to_vec(),
        }),
        [b"GET", target] if simple && is_simple_target(target) => Some(Start::Simple),
        _ => None,
    }
}

fn is_simple_target(target: &[u8]) -> bool {
    target.starts_with(b"/") || target.starts_with(b"http://") || target.starts_with(b"https://")
}

/// Recognises the beginning of a first line whose rest was not captured.
pub(super) fn partial_start_line(part: &[u8]) -> Option<Start> {
    if let [version @ .., b' ', a, b, c] = part.get(..12)?
        && is_version(version)
        && [a, b, c].iter().all(|byte| byte.is_ascii_digit())
    {
        return Some(Start::ResponsePart);
    }
    let method = words(part).next()?;
    let target_begins = part.get(method.len() + 1).is_some_and(|&byte| !is_space(byte));
    let known = METHODS.iter().any(|name| name.eq_ignore_ascii_case(method));
    (known && target_begins).then_some(Start::RequestPart)
}

/// Whether a line continues the field before it (RFC 9112 section 5.2).
pub(super) fn is_fold(line: &[u8]) -> bool {
    line.first().is_some_and(|&byte| is_space(byte))
}

/// The name (lower case) of the field a line begins, and where its value stands, white space and all but the line end.
pub(super) fn value_range(line: &[u8]) -> Option<(String, Range<usize>)> {
    let colon = line.iter().position(|&byte| byte == b':').filter(|_| !is_fold(line))?;
    let name = String::from_utf8_lossy(line[..colon].trim_ascii()).to_ascii_lowercase();
    Some((name, colon + 1..trim_line_end(line).len()))
}

/// Field names (lower case) and values of a header block, without its first line. Folds are joined.
pub(super) fn fields(lines: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for line in lines.iter().map(|line| trim_line_end(line)) {
        if is_fold(line) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
            continue;
        }
        if let Some(colon) = line.iter().position(|&byte| byte == b':') {
            let name = line[..colon].trim_ascii().to_ascii_lowercase();
            fields.push((name, line[colon + 1..].trim_ascii().to_vec()));
        }
    }
    fields
}

fn elements<'f>(fields: &'f [(Vec<u8>, Vec<u8>)], name: &'f [u8]) -> impl Iterator<Item = &'f [u8]> {
    let values = fields.iter().filter(move |(field, _)| field == name);
    values.flat_map(|(_, value)| value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii))
}

/// What a response is an answer to, as far as its framing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// HEAD.
    Head,
    /// CONNECT.
    Connect,
    /// Any other method.
    Other,
    /// Its request is not known.
    Unknown,
}

/// The content of a request (RFC 9112 section 6.3).
pub(super) fn request_content(fields: &[(Vec<u8>, Vec<u8>)]) -> Content {
    match transfer_coding(fields) {
        Coding::Chunked => Content::Chunked,
        Coding::Other => Content::Reject,
        Coding::None => content_length(fields).unwrap_or(Content::Empty),
    }
}

/// The content of a response with that `status` (RFC 9112 section 6.3).
pub(super) fn response_content(fields: &[(Vec<u8>, Vec<u8>)], status: u16, asked: Asked) -> Content {
    match (status, asked) {
        (101, _) => return Content::Switch,
        (200..300, Asked::Connect) => return Content::Switch,
        (100..200 | 204 | 304, _) | (_, Asked::Head) => return Content::Empty,
        _ => {}
    }
    match transfer_coding(fields) {
        Coding::Chunked => Content::Chunked,
        Coding::Other => Content::UntilClose,
        Coding::None => content_length(fields).unwrap_or(Content::UntilClose),
    }
}

enum Coding {
    None,
    Chunked,
    Other,
}

/// The final transfer coding. `identity`, which RFC 7230 removed, says nothing.
fn transfer_coding(fields: &[(Vec<u8>, Vec<u8>)]) -> Coding {
    let codings: Vec<_> = elements(fields, b"transfer-encoding")
        .filter(|coding| !coding.is_empty())
        .collect();
    if codings.iter().all(|coding| coding.eq_ignore_ascii_case(b"identity")) {
        return Coding::None;
    }
    match codings.last() {
        Some(last) if last.eq_ignore_ascii_case(b"chunked") => Coding::Chunked,
        _ => Coding::Other,
    }
}

/// A length beyond every capture, to which longer ones are shortened.
pub(super) const LONGEST: u64 = 1 << 62;

/// `None` without a Content-Length. Lengths too large for an integer are large lengths (RFC 9110 section 8.6).
fn content_length(fields: &[(Vec<u8>, Vec<u8>)]) -> Option<Content> {
    let lengths: Vec<_> = elements(fields, b"content-length").collect();
    let first = lengths.first()?;
    let agree = lengths.iter().all(|length| length == first);
    if !agree || first.is_empty() || !first.iter().all(u8::is_ascii_digit) {
        return Some(Content::Reject);
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(Content::Length(first.iter().fold(0, add).min(LONGEST)))
}

/// The size in a chunk-size line (RFC 9112 section 7.1), `None` where the line is not one or the size is beyond 2^63.
pub(super) fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = trim_line_end(line);
    let size = line.split(|&byte| byte == b';').next()?;
    let size = size.trim_ascii();
    if size.is_empty() || !size.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = size.iter().skip_while(|&&byte| byte == b'0').count();
    if digits > 16 {
        return None;
    }
    let text = str::from_utf8(size).ok()?;
    let value = u64::from_str_radix(&text[text.len() - digits.max(1)..], 16).ok()?;
    (value < 1 << 63).then_some(value.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
        (name.into(), value.into())
    }

    #[test]
    fn first_lines_are_told_from_other_lines() {
        let request = |method: &str| Some(Start::Request { method: method.into() });
        assert_eq!(start_line(b"GET / HTTP/1.1\r\n", false), request("GET"));
        assert_eq!(start_line(b"x-y  a b HTTP/1.0\n", false), request("x-y"));
        assert_eq!(
            start_line(b"HTTP/1.1 204\r\n", false),
            Some(Start::Response { status: 204 })
        );
        assert_eq!(
            start_line(b"http/1.0 200 \n", false),
            Some(Start::Response { status: 200 })
        );
        assert_eq!(start_line(b"GET /\r\n", true), Some(Start::Simple));
        for line in [
            "GET /\r\n",
            "GET HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n",
            "HTTP/1.1 20 x\r\n",
            " GET / HTTP/1.1\r\n",
            "\r\n",
        ] {
            assert_eq!(start_line(line.as_bytes(), false), None, "{line:?}");
        }
        assert_eq!(partial_start_line(b"HTTP/1.1 200 O"), Some(Start::ResponsePart));
        assert_eq!(partial_start_line(b"POST /some/long"), Some(Start::RequestPart));
        assert_eq!(partial_start_line(b"HTTP/1.1 20"), None);
    }

    #[test]
    fn lengths_follow_the_rfc() {
        let of = |fields: &[(Vec<u8>, Vec<u8>)]| response_content(fields, 200, Asked::Other);
        assert_eq!(of(&[]), Content::UntilClose);
        assert_eq!(of(&[field("content-length", "007, 007")]), Content::Length(7));
        assert_eq!(
            of(&[field("content-length", "7"), field("content-length", "8")]),
            Content::Reject
        );
        assert_eq!(of(&[field("content-length", "-1")]), Content::Reject);
        assert_eq!(
            of(&[field("content-length", "99999999999999999999")]),
            Content::Length(LONGEST)
        );
        assert_eq!(
            of(&[
                field("content-length", "7"),
                field("transfer-encoding", "gzip, Chunked")
            ]),
            Content::Chunked
        );
        assert_eq!(of(&[field("transfer-encoding", "gzip")]), Content::UntilClose);
        assert_eq!(request_content(&[field("transfer-encoding", "gzip")]), Content::Reject);
        assert_eq!(request_content(&[]), Content::Empty);
        assert_eq!(response_content(&[], 200, Asked::Connect), Content::Switch);
        assert_eq!(
            response_content(&[field("content-length", "7")], 200, Asked::Head),
            Content::Empty
        );
    }

    #[test]
    fn chunk_sizes_are_bounded() {
        assert_eq!(chunk_size(b"1aF \t;x=\"y\"\r\n"), Some(0x1af));
        assert_eq!(chunk_size(b"00000000000000000000005\n"), Some(5));
        assert_eq!(chunk_size(b"0\r\n"), Some(0));
        for line in [
            "8000000000000000\r\n",
            "10000000000000000\r\n",
            "-1\r\n",
            "\r\n",
            "5 5\r\n",
            "0x5\r\n",
        ] {
            assert_eq!(chunk_size(line.as_bytes()), None, "{line:?}");
        }
    }
}
