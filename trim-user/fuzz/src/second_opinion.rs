//! `httparse` on whole header blocks: what it accepts ends at the same byte here, and its fields have the same names,
//! values and meaning.
//!
//! It refuses more: folded lines in requests, blanks in targets, other white space between the words of the start line,
//! versions but 1.0 and 1.1, control characters. That is no disagreement, and `docs/testing.md` lists it.

use std::collections::BTreeSet;

use trim_user::http::{
    BlockPart, BlockStep, ContentLength, Expected, FramingFields, HeaderBlockParser, MAX_FIELD_NAME, Method,
    RedactedFields, StartLine, TransferEncoding,
};

/// Most fields of a block that are compared; one with more is left to `httparse` alone.
const MOST_FIELDS: usize = 64;

/// A header block by `httparse`.
#[derive(Debug)]
pub struct Opinion {
    /// Bytes up to the end of the block.
    pub end: usize,
    /// Its start line.
    pub start: StartLine,
    /// Names and values of its fields.
    pub fields: Vec<(String, Vec<u8>)>,
}

/// What `httparse` says of a request at the start of `bytes`; `None` when it finds no whole one.
pub fn request(bytes: &[u8]) -> Option<Opinion> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let Ok(httparse::Status::Complete(end)) = parsed.parse(bytes) else {
        return None;
    };
    let method = match parsed.method? {
        "HEAD" => Method::Head,
        other if other.eq_ignore_ascii_case("HEAD") => Method::HeadLike,
        other if other.eq_ignore_ascii_case("CONNECT") => Method::Connect,
        _ => Method::Other,
    };
    let start = StartLine::Request { method };
    let fields = own(parsed.headers);
    Some(Opinion { end, start, fields })
}

/// The same of a response.
pub fn response(bytes: &[u8]) -> Option<Opinion> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(end)) = parsed.parse(bytes) else {
        return None;
    };
    let status = parsed.code?;
    let start = StartLine::Response { status };
    let fields = own(parsed.headers);
    Some(Opinion { end, start, fields })
}

fn own(fields: &[httparse::Header<'_>]) -> Vec<(String, Vec<u8>)> {
    fields
        .iter()
        .map(|field| (field.name.to_owned(), field.value.to_vec()))
        .collect()
}

/// Compares both kinds of message at the start of `bytes`.
pub fn agrees(bytes: &[u8]) {
    if let Some(opinion) = request(bytes) {
        same(bytes, Expected::Request, &opinion);
    }
    if let Some(opinion) = response(bytes) {
        same(bytes, Expected::Response, &opinion);
    }
}

fn same(bytes: &[u8], expected: Expected, opinion: &Opinion) {
    let mut parser = HeaderBlockParser::new(expected, false);
    let step = parser.feed(bytes, u32::MAX, &RedactedFields::default(), &mut |_, _| {});
    let BlockStep::Done { consumed, block } = step else {
        panic!("httparse finds {opinion:?}, here it is {step:?}");
    };
    assert_eq!(consumed, opinion.end, "the end of the block");
    assert_eq!(block.start, opinion.start, "the start line");
    assert_eq!(
        block.fields,
        framing_of(&opinion.fields),
        "what the fields say about the body"
    );
    let names: BTreeSet<String> = opinion
        .fields
        .iter()
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    for name in names.into_iter().filter(|name| name.len() <= MAX_FIELD_NAME) {
        let theirs = opinion
            .fields
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(&name));
        let theirs: Vec<&[u8]> = theirs
            .map(|(_, value)| &value[..])
            .filter(|value| !value.is_empty())
            .collect();
        assert_eq!(values(bytes, expected, &name), theirs, "the values of {name}");
    }
}

/// The values of one field that are not empty, as its redaction would find them, without white space behind them.
fn values<'b>(bytes: &'b [u8], expected: Expected, name: &str) -> Vec<&'b [u8]> {
    let redacted = RedactedFields::new(&[name.into()]);
    let mut marks = Vec::new();
    let mut parser = HeaderBlockParser::new(expected, false);
    let _ = parser.feed(bytes, u32::MAX, &redacted, &mut |at, part| marks.push((at, part)));
    let mut values = Vec::new();
    for (index, &(from, part)) in marks.iter().enumerate() {
        if part == BlockPart::RedactedValue {
            let to = marks.get(index + 1).map_or(bytes.len(), |next| next.0);
            values.push(trim_end(&bytes[from..to]));
        }
    }
    values
}

fn trim_end(mut value: &[u8]) -> &[u8] {
    while let [before @ .., b' ' | b'\t'] = value {
        value = before;
    }
    value
}

/// RFC 9112 sections 6.1 to 6.3 and RFC 9110 section 8.6, on whole values: all fields of a name are one list.
fn framing_of(fields: &[(String, Vec<u8>)]) -> FramingFields {
    let list = |name: &str| {
        let values = fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let elements = values.flat_map(|(_, value)| value.split(|byte| *byte == b','));
        elements
            .map(|element| element.trim_ascii().to_ascii_lowercase())
            .collect::<Vec<_>>()
    };
    let lengths = list("content-length");
    let content_length = match lengths.first() {
        None => ContentLength::Absent,
        Some(first) if lengths.iter().all(|length| length == first) && is_number(first) => {
            let digits = first.iter().map(|digit| u64::from(digit - b'0'));
            ContentLength::Valid(digits.fold(0, |value: u64, digit| value.saturating_mul(10).saturating_add(digit)))
        }
        Some(_) => ContentLength::Invalid,
    };
    let codings: Vec<_> = list("transfer-encoding")
        .into_iter()
        .filter(|coding| !coding.is_empty())
        .collect();
    let transfer_encoding = match codings.last() {
        _ if codings.iter().all(|coding| coding == b"identity") => TransferEncoding::Absent,
        Some(last) if last == b"chunked" => TransferEncoding::Chunked,
        _ => TransferEncoding::Other,
    };
    FramingFields {
        content_length,
        transfer_encoding,
        upgrade: fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("upgrade")),
    }
}

fn is_number(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}
