//! Zstandard (RFC 8878), several frames in a row, delivering every block in front of any damage.
//!
//! The library forgets what it decoded in the call that meets damage. So each call gets just the input that the
//! library asked for, which is one block, without the header of the next one.

use std::io::{self, Read};

use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::decompress::COMPRESSED_READ;

/// Enough to tell the kind and header length of a frame (`ZSTD_startingInputLength`).
const FRAME_START: usize = 5;

/// Length of a block header (RFC 8878 section 3.1.1.2).
const BLOCK_HEADER: usize = 3;

pub(super) struct ZstdReader<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    decoder: Decoder<'static>,
    /// Input the library asks for next; 0 between frames.
    hint: usize,
}

impl<R: Read> ZstdReader<R> {
    pub(super) fn new(source: R) -> io::Result<Self> {
        let buffer = vec![0; COMPRESSED_READ].into();
        Ok(Self {
            source,
            buffer,
            start: 0,
            end: 0,
            decoder: Decoder::new()?,
            hint: 0,
        })
    }

    fn refill(&mut self) -> io::Result<()> {
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
        Ok(())
    }
}

impl<R: Read> Read for ZstdReader<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            self.refill()?;
            let at_end = self.start == self.end;
            if output.is_empty() || (at_end && self.hint == 0) {
                return Ok(0);
            }
            let wanted = match self.hint {
                0 => FRAME_START,
                // What the library asks for goes on to the end of the next block header.
                hint if hint > BLOCK_HEADER => hint - BLOCK_HEADER,
                hint => hint,
            };
            let feed = wanted.min(self.end - self.start);
            let mut input = InBuffer::around(&self.buffer[self.start..self.start + feed]);
            let mut decoded = OutBuffer::around(output);
            self.hint = self.decoder.run(&mut input, &mut decoded)?;
            self.start += input.pos();
            match decoded.pos() {
                0 if at_end => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the zstd file is cut off"));
                }
                0 => {}
                count => return Ok(count),
            }
        }
    }
}
