//! The part of the stream that is in memory.

use std::io::{self, Read};

/// Bytes asked of the source at a time, as long as no single record needs more.
const READ_SIZE: usize = 1 << 20;

/// Room for what is left of the last read when the next one is made.
const LEFTOVER: usize = 512 << 10;

/// A sliding window over a stream, in one buffer that is reused.
///
/// It grows only when it is full of bytes that came from the source, never because a length field asks for it.
pub(super) struct Window {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Window {
    /// An empty window at the start of `source`.
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            buffer: vec![0; READ_SIZE + LEFTOVER],
            start: 0,
            end: 0,
            offset: 0,
        }
    }

    /// The bytes at hand.
    #[inline]
    pub(super) fn available(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Offset in the stream of the first byte at hand.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Drops the first `count` bytes at hand (at most all).
    #[inline]
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
    }

    /// Reads until `wanted` bytes are at hand; false when the stream ends before.
    ///
    /// # Errors
    /// What the source reports. The bytes that came before stay at hand.
    pub(super) fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.end - self.start < wanted {
            self.make_room();
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Ok(false),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_length_that_never_comes_does_not_grow_the_buffer() {
        let mut window = Window::new(Box::new(io::Cursor::new(vec![7; 1000])));
        assert!(!window.fill(1 << 30).unwrap());
        assert_eq!(window.available().len(), 1000);
        assert_eq!(window.buffer.len(), READ_SIZE + LEFTOVER);
    }

    #[test]
    fn bytes_survive_moving_to_the_front_and_growing() {
        let stream: Vec<u8> = (0..4 << 20).map(|n: u32| (n % 251) as u8).collect();
        let mut window = Window::new(Box::new(io::Cursor::new(stream.clone())));
        assert!(window.fill(10).unwrap());
        window.consume(3);
        assert!(window.fill(3 << 20).unwrap());
        assert_eq!(window.available()[..3 << 20], stream[3..3 + (3 << 20)]);
        assert_eq!(window.offset(), 3);
    }
}
