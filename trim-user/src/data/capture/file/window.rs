//! The part of the stream that is in memory.

use std::io::{self, Read};

use super::blocks::{Blocks, HEADROOM};

/// Bytes asked of a stream at a time, as long as no single record needs more.
const READ_SIZE: usize = 1 << 20;

/// Room for what is left of the last read when the next one is made.
const LEFTOVER: usize = 512 << 10;

/// Where bytes come from.
pub(super) enum Input {
    /// Any stream, read as bytes are needed.
    Stream(Box<dyn Read + Send>),
    /// A plain file, read ahead.
    Blocks(Blocks),
}

/// A sliding window over a stream, in buffers that are reused.
///
/// It grows only when it is full of bytes that came from the source, never because a length field asks for it.
pub(super) struct Window {
    input: Input,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
}

impl Window {
    /// An empty window at the start of `input`.
    pub(super) fn new(input: Input) -> Self {
        let length = match input {
            Input::Stream(_) => READ_SIZE + LEFTOVER,
            // Blocks bring their buffers.
            Input::Blocks(_) => 0,
        };
        Self {
            input,
            buffer: vec![0; length],
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
            let has_more = match self.input {
                Input::Stream(_) => self.read()?,
                Input::Blocks(_) => self.take_block()?,
            };
            if !has_more {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads what there is room for; false at the end.
    fn read(&mut self) -> io::Result<bool> {
        self.make_room(1);
        let Input::Stream(stream) = &mut self.input else {
            return Ok(false);
        };
        match stream.read(&mut self.buffer[self.end..]) {
            Ok(count) => {
                self.end += count;
                Ok(count > 0)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Goes on to the next block, in whose headroom the bytes at hand move; false at the end.
    fn take_block(&mut self) -> io::Result<bool> {
        let Input::Blocks(blocks) = &mut self.input else {
            return Ok(false);
        };
        let Some(mut block) = blocks.next()? else {
            return Ok(false);
        };
        let left = self.end - self.start;
        if left <= HEADROOM {
            let start = HEADROOM - left;
            block.buffer[start..HEADROOM].copy_from_slice(&self.buffer[self.start..self.end]);
            std::mem::swap(&mut self.buffer, &mut block.buffer);
            (self.start, self.end) = (start, HEADROOM + block.length);
            if !block.buffer.is_empty() {
                blocks.give_back(block.buffer);
            }
            return Ok(true);
        }
        self.make_room(block.length);
        self.buffer[self.end..self.end + block.length]
            .copy_from_slice(&block.buffer[HEADROOM..HEADROOM + block.length]);
        self.end += block.length;
        if let Input::Blocks(blocks) = &self.input {
            blocks.give_back(block.buffer);
        }
        Ok(true)
    }

    /// Moves the bytes at hand to the front, and sees that `least` bytes have room behind them.
    fn make_room(&mut self, least: usize) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.end < least {
            let doubled = self.buffer.len() * 2;
            self.buffer.resize(doubled.max(self.end + least), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::Arc;

    use super::super::blocks::Reading;
    use super::*;

    #[test]
    fn a_wanted_length_that_never_comes_does_not_grow_the_buffer() {
        let mut window = Window::new(Input::Stream(Box::new(io::Cursor::new(vec![7; 1000]))));
        assert!(!window.fill(1 << 30).unwrap());
        assert_eq!(window.available().len(), 1000);
        assert_eq!(window.buffer.len(), READ_SIZE + LEFTOVER);
    }

    #[test]
    fn bytes_survive_moving_to_the_front_and_growing() {
        let stream: Vec<u8> = (0..4 << 20).map(|n: u32| (n % 251) as u8).collect();
        let mut window = Window::new(Input::Stream(Box::new(io::Cursor::new(stream.clone()))));
        assert!(window.fill(10).unwrap());
        window.consume(3);
        assert!(window.fill(3 << 20).unwrap());
        assert_eq!(window.available()[..3 << 20], stream[3..3 + (3 << 20)]);
        assert_eq!(window.offset(), 3);
    }

    #[test]
    fn bytes_survive_the_change_of_blocks_that_are_smaller_than_what_is_wanted() {
        let bytes: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 251) as u8).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let reading = Reading {
            block: 50_000,
            blocks: 3,
            helpers: 1,
        };
        let blocks = Blocks::new(file, reading, Arc::default()).unwrap();
        let mut window = Window::new(Input::Blocks(blocks));
        let mut at = 0;
        // Less than a block, more than one, and more than the headroom holds.
        for wanted in [10, 49_999, 70_000, 300_000, 7, 120_000] {
            assert!(window.fill(wanted).unwrap());
            assert!(
                window.available()[..wanted] == bytes[at..at + wanted],
                "{wanted} at {at}"
            );
            window.consume(wanted);
            at += wanted;
            assert_eq!(window.offset(), at as u64);
        }
        assert!(!window.fill(1 << 20).unwrap());
        assert!(window.available() == &bytes[at..]);
    }
}
