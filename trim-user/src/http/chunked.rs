//! The chunked transfer coding (RFC 9112 section 7.1) around its data.

use memchr::memchr;

/// What a byte of the coding around the data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkPart {
    /// Chunk-size line with its extensions, or the line end behind chunk data.
    Framing,
    /// Trailer section with its final empty line.
    Trailer,
}

/// Result of feeding a [`ChunkParser`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkStep {
    /// All bytes were taken and the coding goes on.
    More,
    /// Chunk data begins behind the first `consumed` bytes. Feed the bytes behind the data next.
    Data {
        /// Bytes taken.
        consumed: usize,
        /// Length of the data, bytes, 1..2^63.
        length: u64,
    },
    /// The message is complete behind the first `consumed` bytes.
    End {
        /// Bytes taken.
        consumed: usize,
    },
    /// Not the chunked coding; the byte at `at` shows it.
    Malformed {
        /// Offset of that byte.
        at: usize,
    },
    /// A size line or the trailer section is longer than the limit.
    TooLong {
        /// Offset of the first byte over the limit.
        at: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    SizeStart,
    SizeDigits,
    SizeBlanks,
    Extension,
    SizeCr,
    DataEnd,
    DataEndCr,
    TrailerStart,
    TrailerLine,
    TrailerCr,
}

/// Resumable parser of everything in a chunked body that is not data.
#[derive(Clone, Copy, Debug)]
pub struct ChunkParser {
    size: u64,
    length: u32,
    state: State,
}

impl Default for ChunkParser {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkParser {
    /// A parser in front of the first chunk-size line.
    pub const fn new() -> Self {
        Self {
            size: 0,
            length: 0,
            state: State::SizeStart,
        }
    }

    /// What the next byte is, should it be well-formed.
    pub const fn part(&self) -> ChunkPart {
        match self.state {
            State::TrailerStart | State::TrailerLine | State::TrailerCr => ChunkPart::Trailer,
            _ => ChunkPart::Framing,
        }
    }

    /// Takes the next bytes of the stream. `limit` bounds a size line and the whole trailer section, bytes. `mark` is
    /// called with the offset at which another [`ChunkPart`] than before begins, within the bytes consumed.
    pub fn feed(&mut self, bytes: &[u8], limit: u32, mut mark: impl FnMut(usize, ChunkPart)) -> ChunkStep {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let skipped = self.skip(bytes.get(at..).unwrap_or_default());
            let room = limit.saturating_sub(self.length) as usize;
            if skipped.max(1) > room {
                return ChunkStep::TooLong { at: at + room };
            }
            self.length += u32::try_from(skipped.max(1)).unwrap_or(u32::MAX);
            if skipped > 0 {
                at += skipped;
                continue;
            }
            let before = self.state;
            let Some(next) = self.step(byte) else {
                return ChunkStep::Malformed { at };
            };
            at += 1;
            self.state = next;
            match (before, next) {
                (_, State::DataEnd) if before != State::DataEnd => {
                    let length = self.size;
                    self.begin_line();
                    return ChunkStep::Data { consumed: at, length };
                }
                (State::DataEnd | State::DataEndCr, State::SizeStart) => self.begin_line(),
                (State::TrailerStart | State::TrailerCr, State::SizeStart) => return ChunkStep::End { consumed: at },
                (State::TrailerStart | State::TrailerLine | State::TrailerCr, _) => {}
                (_, State::TrailerStart) => {
                    self.begin_line();
                    mark(at, ChunkPart::Trailer);
                }
                _ => {}
            }
        }
        ChunkStep::More
    }

    fn begin_line(&mut self) {
        (self.size, self.length) = (0, 0);
    }

    /// How many bytes cannot change the state.
    fn skip(&self, rest: &[u8]) -> usize {
        match self.state {
            State::Extension | State::TrailerLine => memchr(b'\n', rest).unwrap_or(rest.len()),
            _ => 0,
        }
    }

    fn step(&mut self, byte: u8) -> Option<State> {
        match (self.state, byte) {
            (State::SizeStart, b' ' | b'\t') => Some(State::SizeStart),
            (State::SizeStart | State::SizeDigits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => self.digit(byte),
            (State::SizeDigits | State::SizeBlanks, b' ' | b'\t') => Some(State::SizeBlanks),
            (State::SizeDigits | State::SizeBlanks, b';') => Some(State::Extension),
            (State::SizeDigits | State::SizeBlanks, b'\r') => Some(State::SizeCr),
            (State::SizeDigits | State::SizeBlanks | State::SizeCr | State::Extension, b'\n') => {
                Some(if self.size == 0 {
                    State::TrailerStart
                } else {
                    State::DataEnd
                })
            }
            (State::DataEnd, b'\r') => Some(State::DataEndCr),
            (State::DataEnd | State::DataEndCr, b'\n') => Some(State::SizeStart),
            (State::TrailerStart | State::TrailerCr, b'\n') => Some(State::SizeStart),
            (State::TrailerLine, b'\n') => Some(State::TrailerStart),
            (State::TrailerStart, b'\r') => Some(State::TrailerCr),
            (State::TrailerStart | State::TrailerCr, _) => Some(State::TrailerLine),
            _ => None,
        }
    }

    fn digit(&mut self, byte: u8) -> Option<State> {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            _ => (byte | 0x20) - b'a' + 10,
        };
        // 2^63 and more cannot be a size that anybody sends; a recipient has to refuse it (RFC 9112 section 7.1).
        if self.size >= 1 << 59 {
            return None;
        }
        self.size = self.size << 4 | u64::from(digit);
        Some(State::SizeDigits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter per byte: f framing, t trailer, d data; then how it ended.
    fn parse(pieces: &[&[u8]], limit: u32) -> (String, &'static str) {
        let mut parser = ChunkParser::new();
        let mut letters = String::new();
        let mut data = 0u64;
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                if data > 0 {
                    let taken = data.min(rest.len() as u64) as usize;
                    letters.extend(std::iter::repeat_n('d', taken));
                    data -= taken as u64;
                    rest = &rest[taken..];
                    continue;
                }
                let mut part = parser.part();
                let mut marks = Vec::new();
                let step = parser.feed(rest, limit, |at, next| marks.push((at, next)));
                let consumed = match step {
                    ChunkStep::More => rest.len(),
                    ChunkStep::Data { consumed, .. } | ChunkStep::End { consumed } => consumed,
                    ChunkStep::Malformed { at } | ChunkStep::TooLong { at } => at,
                };
                for at in 0..consumed {
                    if let Some((_, next)) = marks.iter().find(|(mark, _)| *mark == at) {
                        part = *next;
                    }
                    letters.push(if part == ChunkPart::Framing { 'f' } else { 't' });
                }
                rest = &rest[consumed..];
                match step {
                    ChunkStep::Data { length, .. } => data = length,
                    ChunkStep::End { .. } => return (letters, "end"),
                    ChunkStep::Malformed { .. } => return (letters, "malformed"),
                    ChunkStep::TooLong { .. } => return (letters, "too long"),
                    ChunkStep::More => {}
                }
            }
        }
        (letters, "more")
    }

    #[test]
    fn sizes_data_and_trailers_are_told_apart() {
        let (letters, end) = parse(&[b"3\r\nabc\r\n1;x=\"y\"\nd\n0\r\nA: b\r\n\r\nrest"], 100);
        assert_eq!((letters.as_str(), end), ("fffdddffffffffffdfffftttttttt", "end"));
    }

    #[test]
    fn a_line_over_the_limit_is_taken_up_to_the_limit() {
        let body = b"5;extension\r\n";
        for split in 0..body.len() {
            let (letters, end) = parse(&[&body[..split], &body[split..]], 7);
            assert_eq!((letters.as_str(), end), ("fffffff", "too long"), "split at {split}");
        }
    }

    #[test]
    fn the_result_does_not_depend_on_how_the_bytes_are_split() {
        let body = b" 00a ;ext\r\n0123456789\r\n0;last\r\nX: y\r\nZ: \r q\r\n\r\n";
        let whole = parse(&[body], 100);
        assert_eq!(whole.1, "end");
        for cut in 1..body.len() {
            let (first, second) = body.split_at(cut);
            assert_eq!(parse(&[first, second], 100), whole, "cut at {cut}");
        }
    }

    #[test]
    fn malformed_sizes_and_ends_are_refused() {
        for body in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-1\r\n",
            b"1 2\r\n",
            b"1\rx",
            b"1\r\nabc",
            b"1\r\na\rb",
            b"8000000000000000\r\n",
            b"10000000000000000\r\n",
            b";x\r\n",
        ] {
            assert_eq!(parse(&[body], 100).1, "malformed", "{body:?}");
        }
        assert_eq!(parse(&[b"7fffffffffffffff\r\n"], 100).1, "more");
        assert_eq!(parse(&[b"0000000000000000000001\r\na\r\n0\r\n\r\n"], 100).1, "end");
    }

    #[test]
    fn long_lines_stop_at_the_limit() {
        assert_eq!(parse(&[b"1;xxxxxxxxxxxxxxxxxxx"], 8).1, "too long");
        assert_eq!(parse(&[b"0\r\na:b\r\na:b\r\na:b\r\n"], 8).1, "too long");
        assert_eq!(
            parse(&[b"1\r\na\r\n1\r\na\r\n1\r\na\r\n1\r\na\r\n0\r\n\r\n"], 8).1,
            "end"
        );
    }
}
