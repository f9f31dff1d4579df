//! gzip (RFC 1952), several members in a row, delivering every byte in front of any damage.
//!
//! `flate2::read::MultiGzDecoder` drops what it had inflated in the call that meets the damage, hence this reader on
//! its raw inflater.

use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::decompress::COMPRESSED_READ;

const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;

enum State {
    Header,
    Body,
    Ended,
}

pub(super) struct GzipReader<R> {
    input: Input<R>,
    inflate: Decompress,
    crc: Crc,
    state: State,
    /// An error that waits until the bytes in front of it are taken.
    pending: Option<io::Error>,
}

impl<R: Read> GzipReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            input: Input::new(source),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            state: State::Header,
            pending: None,
        }
    }

    fn header(&mut self) -> io::Result<State> {
        if self.input.fill()?.is_empty() {
            return Ok(State::Ended);
        }
        let fixed: [u8; 10] = self.input.array()?;
        let [0x1f, 0x8b, 8, flags, ..] = fixed else {
            return Err(damage("what follows a gzip member is not another one"));
        };
        if flags & FLAG_EXTRA != 0 {
            let length = u16::from_le_bytes(self.input.array()?);
            for _ in 0..length {
                self.input.byte()?;
            }
        }
        for flag in [FLAG_NAME, FLAG_COMMENT] {
            while flags & flag != 0 && self.input.byte()? != 0 {}
        }
        if flags & FLAG_HEADER_CRC != 0 {
            self.input.array::<2>()?;
        }
        self.inflate.reset(false);
        self.crc.reset();
        Ok(State::Body)
    }

    /// Inflates until there is output or the member ends; the count is 0 only at the end of a member.
    fn inflate(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.input.fill()?;
            if input.is_empty() {
                return Err(cut_off());
            }
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let result = self.inflate.decompress(input, output, FlushDecompress::None);
            let used = (self.inflate.total_in() - before_in) as usize;
            let made = (self.inflate.total_out() - before_out) as usize;
            self.input.consume(used);
            self.crc.update(&output[..made]);
            let outcome = match result {
                Ok(Status::StreamEnd) => self.trailer(),
                Ok(_) if used + made > 0 => Ok(()),
                Ok(_) | Err(_) => Err(damage("the compressed gzip data is damaged")),
            };
            match outcome {
                Err(error) if made == 0 => return Err(error),
                Err(error) => self.pending = Some(error),
                Ok(()) => {}
            }
            if made > 0 || matches!(self.state, State::Header) {
                return Ok(made);
            }
        }
    }

    fn trailer(&mut self) -> io::Result<()> {
        let checksum = u32::from_le_bytes(self.input.array()?);
        let length = u32::from_le_bytes(self.input.array()?);
        if checksum != self.crc.sum() || length != self.crc.amount() {
            return Err(damage(
                "the checksum or length behind a gzip member does not match its content",
            ));
        }
        self.state = State::Header;
        Ok(())
    }
}

impl<R: Read> Read for GzipReader<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.pending.take() {
            self.state = State::Ended;
            return Err(error);
        }
        while !output.is_empty() {
            match self.state {
                State::Ended => break,
                State::Header => self.state = self.header()?,
                State::Body => match self.inflate(output)? {
                    0 => {}
                    made => return Ok(made),
                },
            }
        }
        Ok(0)
    }
}

/// The compressed bytes, buffered.
struct Input<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<R: Read> Input<R> {
    fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; COMPRESSED_READ].into(),
            start: 0,
            end: 0,
        }
    }

    /// The bytes at hand; none only at the end of the source.
    fn fill(&mut self) -> io::Result<&[u8]> {
        while self.start == self.end {
            match self.source.read(&mut self.buffer) {
                Ok(count) => (self.start, self.end) = (0, count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            if self.end == 0 {
                break;
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    fn consume(&mut self, count: usize) {
        self.start += count;
    }

    fn byte(&mut self) -> io::Result<u8> {
        let byte = *self.fill()?.first().ok_or_else(cut_off)?;
        self.consume(1);
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            *byte = self.byte()?;
        }
        Ok(bytes)
    }
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the gzip file is cut off")
}

fn damage(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
