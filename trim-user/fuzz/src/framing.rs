//! The parsers of `http/`: any bytes, in any pieces, and `httparse` as a second opinion on whole header blocks.

use trim_user::http::{
    BlockPart, BlockStep, ChunkParser, ChunkPart, ChunkStep, Expected, Framing, FramingFields, HeaderBlockParser,
    LineStep, Method, Recognition, RedactedFields, StartLine, StartLineParser, recognise_message,
    recognise_status_line, request_framing, response_framing,
};

use super::second_opinion;

/// Longest input that is looked at, bytes.
const LONGEST: usize = 4096;
/// Prefixes up to this length are asked what they are.
const LONGEST_PREFIX: usize = 48;

/// Cuts `bytes` into pieces that depend on `seed`: single bytes for 0.
fn pieces(bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut state) = (bytes, u32::from(seed));
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        state = state
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223 * u32::from(seed > 0));
        let length = (1 + (state >> 24) as usize % 29).min(rest.len());
        let (piece, behind) = rest.split_at(if seed == 0 { 1 } else { length });
        rest = behind;
        Some(piece)
    })
}

/// Target: two bytes choose what is expected, the limit and the pieces; the rest are the bytes.
pub fn run(data: &[u8]) {
    let [choice, seed, bytes @ ..] = data else { return };
    let bytes = &bytes[..bytes.len().min(LONGEST)];
    let expected = [Expected::Any, Expected::Request, Expected::Response, Expected::Any][usize::from(choice & 3)];
    let simple = choice & 4 != 0;
    let limit = [16, 64, 300, u32::MAX][usize::from(choice >> 3 & 3)];
    start_line(bytes, expected, simple, *seed);
    header_block(bytes, expected, simple, limit, *seed);
    chunked(bytes, limit, *seed);
    prefixes(bytes, expected);
    second_opinion::agrees(bytes);
}

fn start_line(bytes: &[u8], expected: Expected, simple: bool, seed: u8) {
    let whole = StartLineParser::new(expected, simple).feed(bytes);
    let mut parser = StartLineParser::new(expected, simple);
    let (mut at, mut step) = (0, LineStep::More);
    for piece in pieces(bytes, seed) {
        step = match parser.feed(piece) {
            LineStep::More => LineStep::More,
            LineStep::Done { consumed, line } => LineStep::Done {
                consumed: at + consumed,
                line,
            },
            LineStep::NotAMessage { at: offset } => LineStep::NotAMessage { at: at + offset },
        };
        if step != LineStep::More {
            break;
        }
        at += piece.len();
    }
    assert_eq!(step, whole, "the start line in pieces");
    match whole {
        LineStep::Done { consumed, line } => {
            assert!(
                consumed <= bytes.len() && bytes[consumed - 1] == b'\n',
                "a line ends with LF"
            );
            let fits = match (expected, line) {
                (Expected::Request, StartLine::Response { .. }) | (Expected::Response, StartLine::Request { .. }) => {
                    false
                }
                (_, StartLine::Simple) => simple && expected != Expected::Response,
                (_, StartLine::Response { status }) => status <= 999,
                _ => true,
            };
            assert!(fits, "{line:?} where {expected:?} was expected");
        }
        LineStep::NotAMessage { at } => assert!(at < bytes.len(), "an offset behind the bytes"),
        LineStep::More => {}
    }
}

/// Feeds pieces; the step with offsets over all pieces, and what each byte in front of it is.
fn feed_block<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    mut parser: HeaderBlockParser,
    limit: u32,
    redacted: &RedactedFields,
) -> (BlockStep, Vec<BlockPart>) {
    let mut parts = Vec::new();
    for piece in pieces {
        let base = parts.len();
        let mut marks = vec![(0, parser.part())];
        let step = parser.feed(piece, limit, redacted, &mut |at, part| marks.push((at, part)));
        let (taken, step) = match step {
            BlockStep::More => (piece.len(), BlockStep::More),
            BlockStep::Done { consumed, block } => {
                let consumed = base + consumed;
                (consumed - base, BlockStep::Done { consumed, block })
            }
            BlockStep::NotAMessage { at } => (at, BlockStep::NotAMessage { at: base + at }),
            BlockStep::TooLong { at } => (at, BlockStep::TooLong { at: base + at }),
        };
        assert!(taken <= piece.len(), "an offset behind the bytes");
        assert!(marks.is_sorted_by_key(|mark| mark.0), "marks come in order");
        assert!(
            marks.iter().all(|mark| mark.0 <= piece.len()),
            "a mark behind the bytes"
        );
        for at in 0..taken {
            let mark = marks.iter().rev().find(|mark| mark.0 <= at);
            parts.push(mark.map_or(BlockPart::Plain, |mark| mark.1));
        }
        if step != BlockStep::More {
            return (step, parts);
        }
    }
    (BlockStep::More, parts)
}

fn header_block(bytes: &[u8], expected: Expected, simple: bool, limit: u32, seed: u8) {
    let redacted = RedactedFields::new(&["cookie".into(), "x".into()]);
    let parser = || HeaderBlockParser::new(expected, simple);
    let (whole, parts) = feed_block(std::iter::once(bytes), parser(), limit, &redacted);
    let (step, in_pieces) = feed_block(pieces(bytes, seed), parser(), limit, &redacted);
    assert_eq!(step, whole, "the header block in pieces");
    assert_eq!(in_pieces, parts, "redacted values in pieces");
    match whole {
        BlockStep::Done { consumed, block } => {
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            assert!(consumed - blank <= limit as usize, "a block beyond the limit");
            framing_is_lawful(&block.fields);
        }
        BlockStep::TooLong { at } => {
            let blank = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            assert_eq!(at, blank + limit as usize, "the first byte over the limit");
        }
        _ => {}
    }
    let shows = parts
        .iter()
        .zip(bytes)
        .any(|(part, byte)| *part == BlockPart::RedactedValue && *byte == b'\n');
    assert!(!shows, "a line end is never part of a value");
}

/// RFC 9112 section 6.3, in the words that need no look at the fields.
fn framing_is_lawful(fields: &FramingFields) {
    assert_ne!(
        request_framing(fields),
        Framing::UntilClose,
        "a request never lasts until the connection closes"
    );
    for method in [Method::Head, Method::Connect, Method::HeadLike, Method::Other] {
        for status in [100, 101, 199, 200, 204, 299, 304, 404, 999] {
            let framing = response_framing(status, method, fields);
            let bodiless = matches!(status, 100..=199 | 204 | 304) || method == Method::Head;
            let has_none = matches!(framing, Framing::None | Framing::Switch);
            assert!(!bodiless || has_none, "{status} to {method:?} is framed {framing:?}");
            assert_ne!(framing, Framing::Length(0), "no body has a length");
        }
    }
}

/// Letters for what each byte is (f framing, t trailer, d data), and how it ended, with the offset.
fn feed_chunks<'a>(pieces: impl Iterator<Item = &'a [u8]>, limit: u32) -> (String, &'static str) {
    let mut parser = ChunkParser::new();
    let (mut letters, mut data) = (String::new(), 0_u64);
    for piece in pieces {
        let mut rest = piece;
        while !rest.is_empty() {
            if data > 0 {
                let taken = data.min(rest.len() as u64) as usize;
                letters.extend(std::iter::repeat_n('d', taken));
                data -= taken as u64;
                rest = &rest[taken..];
                continue;
            }
            let mut marks = vec![(0, parser.part())];
            let step = parser.feed(rest, limit, |at, part| marks.push((at, part)));
            let (taken, end) = match step {
                ChunkStep::More => (rest.len(), None),
                ChunkStep::Data { consumed, length } => {
                    assert!((1..1 << 63).contains(&length), "chunk data of {length} bytes");
                    data = length;
                    (consumed, None)
                }
                ChunkStep::End { consumed } => (consumed, Some("end")),
                ChunkStep::Malformed { at } => (at, Some("malformed")),
                ChunkStep::TooLong { at } => (at, Some("too long")),
            };
            for at in 0..taken {
                let mark = marks.iter().rev().find(|mark| mark.0 <= at);
                let is_trailer = mark.is_some_and(|mark| mark.1 == ChunkPart::Trailer);
                letters.push(if is_trailer { 't' } else { 'f' });
            }
            rest = &rest[taken..];
            if let Some(end) = end {
                return (letters, end);
            }
            assert!(taken > 0, "the parser stands still");
        }
    }
    (letters, "more")
}

fn chunked(bytes: &[u8], limit: u32, seed: u8) {
    let whole = feed_chunks(std::iter::once(bytes), limit);
    let in_pieces = feed_chunks(pieces(bytes, seed), limit);
    assert_eq!(in_pieces, whole, "the chunked coding in pieces");
    if let (letters, "end") = &whole {
        let trailers = letters.len() - letters.trim_end_matches('t').len();
        assert!(trailers >= 1, "the last line is part of the trailer section");
        assert_eq!(bytes[letters.len() - 1], b'\n', "it ends with a line end");
    }
}

/// What a prefix is said to be is never taken back.
fn prefixes(bytes: &[u8], expected: Expected) {
    monotone(bytes, |prefix| recognise_message(prefix, expected));
    monotone(bytes, recognise_status_line);
}

fn monotone(bytes: &[u8], recognise: impl Fn(&[u8]) -> Recognition) {
    let mut known = Recognition::NeedMore;
    for length in 0..=bytes.len().min(LONGEST_PREFIX) {
        let now = recognise(&bytes[..length]);
        assert!(
            known == Recognition::NeedMore || now == known,
            "{known:?} became {now:?} at {length}"
        );
        known = now;
    }
}
