//! A header block: start line, field lines and the empty line (RFC 9112 sections 2 to 5), read as it comes.

use memchr::{memchr, memchr2};

use super::fields::{CodingReader, FramingFields, LengthReader, is_space};
use super::start_line::{Expected, LineStep, StartLine, StartLineParser};

/// Longest field name that can be recognised, bytes, with the white space around it; longer ones are skipped like any
/// unknown field.
pub const MAX_FIELD_NAME: usize = 64;

/// A complete header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderBlock {
    /// Its start line.
    pub start: StartLine,
    /// What its fields say about the body.
    pub fields: FramingFields,
}

/// What a byte of a header block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockPart {
    /// Anything but the following.
    Plain,
    /// The value of a field in [`RedactedFields`], without the white space before it and without line ends.
    RedactedValue,
}

/// Result of feeding a [`HeaderBlockParser`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockStep {
    /// All bytes were taken and the block goes on.
    More,
    /// The block is complete.
    Done {
        /// Bytes taken, the empty line included.
        consumed: usize,
        /// What it says.
        block: HeaderBlock,
    },
    /// No start line of the expected kind stands here; the byte at `at` shows it.
    NotAMessage {
        /// Offset of that byte.
        at: usize,
    },
    /// The block is longer than the limit.
    TooLong {
        /// Offset of the first byte over the limit.
        at: usize,
    },
}

/// Names of the fields whose values are to be overwritten.
#[derive(Clone, Debug, Default)]
pub struct RedactedFields {
    names: Vec<Box<str>>,
}

impl RedactedFields {
    /// Fields with these names, in any case. Names longer than [`MAX_FIELD_NAME`] never match.
    pub fn new(names: &[Box<str>]) -> Self {
        Self { names: names.to_vec() }
    }

    fn contains(&self, name: &[u8]) -> bool {
        self.names
            .iter()
            .any(|known| known.as_bytes().eq_ignore_ascii_case(name))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the start line.
    StartLine,
    /// In front of the first byte of a line.
    LineStart,
    /// Behind a CR that is the first byte of a line.
    LineStartCr,
    /// In a field name.
    Name,
    /// In the white space in front of a value that matters.
    ValueStart,
    /// In a value that matters.
    Value,
    /// In the rest of a line that does not matter.
    Skip,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FramingField {
    #[default]
    None,
    Length,
    Coding,
}

/// Resumable parser of one header block, blank lines before it included. Uses constant memory.
#[derive(Clone, Debug)]
pub struct HeaderBlockParser {
    line: StartLineParser,
    start: Option<StartLine>,
    state: State,
    part: BlockPart,
    /// The last field that had a colon, to which folded lines belong.
    field: FramingField,
    redact: bool,
    upgrade: bool,
    length: LengthReader,
    coding: CodingReader,
    taken: u32,
    name_length: u8,
    name: [u8; MAX_FIELD_NAME],
}

impl HeaderBlockParser {
    /// A parser at the beginning of a message. `simple_allowed` admits an HTTP/0.9 request, which is a block of one
    /// line.
    pub fn new(expected: Expected, simple_allowed: bool) -> Self {
        Self {
            line: StartLineParser::new(expected, simple_allowed),
            start: None,
            state: State::StartLine,
            part: BlockPart::Plain,
            field: FramingField::None,
            redact: false,
            upgrade: false,
            length: LengthReader::default(),
            coding: CodingReader::default(),
            taken: 0,
            name_length: 0,
            name: [0; MAX_FIELD_NAME],
        }
    }

    /// What the next byte is, unless it begins something else.
    pub fn part(&self) -> BlockPart {
        self.part
    }

    /// Whether nothing but blank lines was seen.
    pub fn is_blank(&self) -> bool {
        self.start.is_none() && self.line.is_blank()
    }

    /// The start line, once it is complete.
    pub fn start_line(&self) -> Option<StartLine> {
        self.start
    }

    /// Whether this is HTTP, or looks like it although the start line is not complete.
    pub fn is_plausible(&self) -> bool {
        self.start.is_some() || self.line.is_plausible()
    }

    /// Takes the next bytes of the stream. `limit` bounds the block, bytes, blank lines before it aside. `mark` is
    /// called with the offset at which another [`BlockPart`] than before begins.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        limit: u32,
        redacted: &RedactedFields,
        mark: &mut impl FnMut(usize, BlockPart),
    ) -> BlockStep {
        let mut at = if self.is_blank() { blank_length(bytes) } else { 0 };
        let blank = bytes.get(..at).unwrap_or_default();
        match self.feed_within(0, blank, redacted, mark) {
            BlockStep::More => {}
            step => return step,
        }
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            let room = usize::try_from(limit.saturating_sub(self.taken)).unwrap_or(usize::MAX);
            let within = rest.get(..room).unwrap_or(rest);
            match self.feed_within(at, within, redacted, mark) {
                BlockStep::More if within.len() < rest.len() => return BlockStep::TooLong { at: at + room },
                BlockStep::More => self.taken += u32::try_from(within.len()).unwrap_or(u32::MAX),
                step => return step,
            }
            at += within.len();
        }
        BlockStep::More
    }

    /// `base` is the offset of `bytes` for marks and results.
    fn feed_within(
        &mut self,
        base: usize,
        bytes: &[u8],
        redacted: &RedactedFields,
        mark: &mut impl FnMut(usize, BlockPart),
    ) -> BlockStep {
        let mut at = 0;
        if self.state == State::StartLine {
            match self.line.feed(bytes) {
                LineStep::More => return BlockStep::More,
                LineStep::NotAMessage { at } => return BlockStep::NotAMessage { at: base + at },
                LineStep::Done { consumed, line } => {
                    self.start = Some(line);
                    self.state = State::LineStart;
                    at = consumed;
                    if line == StartLine::Simple {
                        return self.done(base + at, line);
                    }
                }
            }
        }
        while let Some(&byte) = bytes.get(at) {
            let ends = byte == b'\n' && matches!(self.state, State::LineStart | State::LineStartCr);
            if let (true, Some(start)) = (ends, self.start) {
                return self.done(base + at + 1, start);
            }
            let rest = bytes.get(at..).unwrap_or_default();
            at += self.step(byte, rest, redacted, &mut |offset, part| mark(base + at + offset, part));
        }
        BlockStep::More
    }

    fn done(&mut self, consumed: usize, start: StartLine) -> BlockStep {
        self.end_field();
        let fields = FramingFields {
            content_length: self.length.result(),
            transfer_encoding: self.coding.result(),
            upgrade: self.upgrade,
        };
        let block = HeaderBlock { start, fields };
        BlockStep::Done { consumed, block }
    }

    /// Handles `byte`, the first of `rest`, and as many of those behind it as are of one sort; returns how many.
    fn step(
        &mut self,
        byte: u8,
        rest: &[u8],
        redacted: &RedactedFields,
        mark: &mut impl FnMut(usize, BlockPart),
    ) -> usize {
        match self.state {
            State::StartLine | State::LineStart => self.line_start(byte, rest, redacted),
            State::LineStartCr => {
                self.push_name(b"\r");
                self.name(rest, redacted)
            }
            State::Name => self.name(rest, redacted),
            State::ValueStart | State::Value => self.value(rest, mark),
            State::Skip => self.skip(rest),
        }
    }

    fn line_start(&mut self, byte: u8, rest: &[u8], redacted: &RedactedFields) -> usize {
        self.name_length = 0;
        match byte {
            b' ' | b'\t' => {
                // A folded line continues the value behind one space (RFC 9112 section 5.2).
                self.push_value(b' ');
                self.state = self.value_state();
                1
            }
            b'\r' => {
                self.state = State::LineStartCr;
                1
            }
            _ => self.name(rest, redacted),
        }
    }

    fn value_state(&self) -> State {
        if self.redact || self.field != FramingField::None {
            State::ValueStart
        } else {
            State::Skip
        }
    }

    fn name(&mut self, rest: &[u8], redacted: &RedactedFields) -> usize {
        self.state = State::Name;
        let Some(end) = memchr2(b':', b'\n', rest) else {
            self.push_name(rest);
            return rest.len();
        };
        let (name, behind) = rest.split_at(end);
        if behind.first() == Some(&b'\n') {
            // A line without a colon is no field; folded lines behind it belong to the field before it.
            self.state = State::LineStart;
            return end + 1;
        }
        self.end_field();
        if self.name_length == 0 {
            // The limit is that of the buffer, so that a name means the same in one piece and in several.
            let known = if name.len() <= MAX_FIELD_NAME { name } else { &[] };
            self.begin_field(known, redacted);
        } else {
            self.push_name(name);
            let stored = self.name;
            let whole = stored.get(..usize::from(self.name_length)).unwrap_or_default();
            self.begin_field(whole, redacted);
        }
        self.state = self.value_state();
        end + 1
    }

    fn push_name(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let Some(slot) = self.name.get_mut(usize::from(self.name_length)) else {
                // One more than fits marks a name that cannot match.
                self.name_length = MAX_FIELD_NAME as u8 + 1;
                return;
            };
            *slot = byte;
            self.name_length += 1;
        }
    }

    /// White space around the name is no part of it: recipients differ on `Content-Length : 5`, and cutting a body
    /// by a length that the peer may ignore is guarded by the framing behind it, while ignoring it would leak.
    fn begin_field(&mut self, name: &[u8], redacted: &RedactedFields) {
        let name = trim(name);
        self.field = match name.len() {
            14 if name.eq_ignore_ascii_case(b"content-length") => FramingField::Length,
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => FramingField::Coding,
            _ => FramingField::None,
        };
        self.upgrade |= name.len() == 7 && name.eq_ignore_ascii_case(b"upgrade");
        self.redact = redacted.contains(name);
    }

    fn end_field(&mut self) {
        match self.field {
            FramingField::Length => self.length.end_element(),
            FramingField::Coding => self.coding.end_element(),
            FramingField::None => {}
        }
        self.field = FramingField::None;
    }

    fn push_value(&mut self, byte: u8) {
        match self.field {
            FramingField::Length => self.length.push(byte),
            FramingField::Coding => self.coding.push(byte),
            FramingField::None => {}
        }
    }

    fn value(&mut self, rest: &[u8], mark: &mut impl FnMut(usize, BlockPart)) -> usize {
        for (at, &byte) in rest.iter().enumerate() {
            let leading = self.state == State::ValueStart && matches!(byte, b' ' | b'\t');
            let plain = !self.redact || leading || matches!(byte, b'\r' | b'\n');
            let part = if plain {
                BlockPart::Plain
            } else {
                BlockPart::RedactedValue
            };
            if part != self.part {
                self.part = part;
                mark(at, part);
            }
            if byte == b'\n' {
                self.state = State::LineStart;
                return at + 1;
            }
            if !leading {
                self.state = State::Value;
            }
            self.push_value(byte);
        }
        rest.len()
    }

    fn skip(&mut self, rest: &[u8]) -> usize {
        match memchr(b'\n', rest) {
            Some(end) => {
                self.state = State::LineStart;
                end + 1
            }
            None => rest.len(),
        }
    }
}

/// Length of the blank lines that `bytes` begin with, an unfinished one included.
fn blank_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn trim(mut name: &[u8]) -> &[u8] {
    while let [first, behind @ ..] = name
        && is_space(*first)
    {
        name = behind;
    }
    while let [before @ .., last] = name
        && is_space(*last)
    {
        name = before;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{ContentLength, Method, TransferEncoding};

    const LIMIT: u32 = 4096;

    fn redacted() -> RedactedFields {
        RedactedFields::new(&["cookie".into(), "x-secret".into()])
    }

    /// Feeds the pieces; returns how it ended (offsets over all pieces) and the redacted bytes.
    fn parse(pieces: &[&[u8]], limit: u32) -> (BlockStep, Vec<u8>) {
        let mut parser = HeaderBlockParser::new(Expected::Any, true);
        let (mut base, mut hidden) = (0, Vec::new());
        for piece in pieces {
            let mut parts = vec![(0, parser.part())];
            let step = parser.feed(piece, limit, &redacted(), &mut |at, part| parts.push((at, part)));
            let taken = match step {
                BlockStep::More => piece.len(),
                BlockStep::Done { consumed, .. } => consumed,
                BlockStep::NotAMessage { at } | BlockStep::TooLong { at } => at,
            };
            for (index, (from, part)) in parts.iter().enumerate() {
                let to = parts.get(index + 1).map_or(taken, |next| next.0);
                if *part == BlockPart::RedactedValue {
                    hidden.extend_from_slice(&piece[*from..to]);
                }
            }
            match step {
                BlockStep::More => base += piece.len(),
                BlockStep::Done { consumed, block } => {
                    let consumed = consumed + base;
                    return (BlockStep::Done { consumed, block }, hidden);
                }
                BlockStep::NotAMessage { at } => return (BlockStep::NotAMessage { at: at + base }, hidden),
                BlockStep::TooLong { at } => return (BlockStep::TooLong { at: at + base }, hidden),
            }
        }
        (BlockStep::More, hidden)
    }

    fn block(bytes: &[u8]) -> HeaderBlock {
        match parse(&[bytes], LIMIT).0 {
            BlockStep::Done { consumed, block } => {
                assert_eq!(consumed, bytes.len());
                block
            }
            step => panic!("{step:?}"),
        }
    }

    fn length_of(fields: &str) -> ContentLength {
        block(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes())
            .fields
            .content_length
    }

    #[test]
    fn framing_fields_are_read_in_any_case_and_shape() {
        let found =
            block(b"POST / HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 12\r\nUpgrade: x\r\nTransfer-Encoding:chunked\n\r\n");
        assert_eq!(found.start, StartLine::Request { method: Method::Other });
        assert_eq!(found.fields.content_length, ContentLength::Valid(12));
        assert_eq!(found.fields.transfer_encoding, TransferEncoding::Chunked);
        assert!(found.fields.upgrade);
        assert_eq!(length_of("Content-Length : 7\r\n"), ContentLength::Valid(7));
        assert_eq!(length_of("Content-Length:\r\n 7\r\n"), ContentLength::Valid(7));
        assert_eq!(length_of("Content-Length: 1\r\n 7\r\n"), ContentLength::Invalid);
        assert_eq!(
            length_of("Content-Length: 5\nContent-Length: 5\n"),
            ContentLength::Valid(5)
        );
        assert_eq!(length_of("Content-Length\r\n"), ContentLength::Absent);
        assert_eq!(length_of("X: y\r\n Content-Length: 5\r\n"), ContentLength::Absent);
        assert_eq!(
            length_of("Content-Length: 5\r\nno colon\r\n ,5\r\n"),
            ContentLength::Valid(5)
        );
        assert_eq!(length_of("XContent-Length: 5\r\n"), ContentLength::Absent);
        assert_eq!(length_of("\r\rContent-Length: 5\r\n"), ContentLength::Valid(5));
    }

    #[test]
    fn only_an_empty_line_ends_the_block() {
        for bytes in [
            &b"HTTP/1.1 200 OK\r\n \r\n\t\n\r\r\nA: b\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\n\n",
            b"GET /\r\n",
        ] {
            block(bytes);
        }
        assert_eq!(parse(&[b"HTTP/1.1 200 OK\r\nA: b\r\n"], LIMIT).0, BlockStep::More);
    }

    #[test]
    fn the_result_does_not_depend_on_how_the_block_is_split() {
        let bytes = b"\r\nGET /a b HTTP/1.1\r\nCookie: a=b\r\n c=d \r\nCONTENT-length: 0\r\n 5\r\nX-Secret:\tq\rr\n\
            Transfer-Encoding: gzip,\r\n\tchunked\r\nCookie:e\r\nUpgrade: h2c\r\nNo-Colon\r\n\r\n";
        let whole = parse(&[bytes], LIMIT);
        assert_eq!(whole.1, b"a=bc=d qre");
        assert!(matches!(whole.0, BlockStep::Done { consumed, .. } if consumed == bytes.len()));
        for cut in 1..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            assert_eq!(parse(&[first, second], LIMIT), whole, "cut at {cut}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(parse(&single, LIMIT), whole);
    }

    #[test]
    fn a_block_over_the_limit_is_given_up_at_the_limit() {
        let bytes = b"\r\n\r\nGET / HTTP/1.1\r\nA: bcdefgh\r\n\r\n";
        let message = bytes.len() as u32 - 4;
        for cut in 0..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let (step, _) = parse(&[first, second], message);
            assert!(matches!(step, BlockStep::Done { .. }), "cut at {cut}: {step:?}");
            let (step, _) = parse(&[first, second], message - 1);
            assert_eq!(step, BlockStep::TooLong { at: bytes.len() - 1 }, "cut at {cut}");
        }
    }

    #[test]
    fn a_name_with_much_white_space_means_the_same_in_pieces() {
        for blanks in [49, 50, 51, 60] {
            let bytes = format!("GET / HTTP/1.1\r\nContent-Length{}: 5\r\n\r\n", " ".repeat(blanks));
            let whole = parse(&[bytes.as_bytes()], LIMIT);
            for cut in 1..bytes.len() {
                let (first, second) = bytes.as_bytes().split_at(cut);
                assert_eq!(parse(&[first, second], LIMIT), whole, "{blanks} blanks, cut at {cut}");
            }
        }
    }

    #[test]
    fn httparse_agrees_on_ordinary_blocks() {
        let bytes = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 17\r\nConnection: close\r\n\r\n";
        let mut headers = [httparse::EMPTY_HEADER; 8];
        let mut response = httparse::Response::new(&mut headers);
        assert_eq!(response.parse(bytes), Ok(httparse::Status::Complete(bytes.len())));
        let found = block(bytes);
        assert_eq!(
            Some(found.start),
            response.code.map(|status| StartLine::Response { status })
        );
        assert_eq!(found.fields.content_length, ContentLength::Valid(17));
    }
}
