//! A file that grows by whole chunks only.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

use super::compress::Compressor;

/// What chunks are written to. Tests put a failing one in the place of a file.
pub(super) trait Medium: Send {
    /// Writes all of `bytes`, the first one at `offset`.
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Waits until everything is on stable storage.
    fn sync(&mut self) -> io::Result<()>;
    /// Whether what was written can be written over.
    fn is_seekable(&self) -> bool {
        true
    }
}

impl Medium for File {
    fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A pipe, a device or standard output: written strictly in order. It is never cut either, because standard output may
/// be appended to somebody else's file.
pub(super) struct Stream(pub(super) File);

impl Medium for Stream {
    fn write(&mut self, _offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn truncate(&mut self, _length: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn is_seekable(&self) -> bool {
        false
    }
}

/// Appends chunks; a chunk is there as a whole or not at all, whatever error comes in between.
pub(super) struct ChunkFile {
    medium: Box<dyn Medium>,
    /// Where the last whole chunk ends, bytes; what ends the compression stands behind it.
    length: u64,
    failed: bool,
}

impl ChunkFile {
    pub(super) fn new(medium: Box<dyn Medium>) -> Self {
        Self {
            medium,
            length: 0,
            failed: false,
        }
    }

    /// Bytes of whole chunks in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends `blocks` as one chunk. On error the file is as it was before, if the medium can be cut at all, and
    /// takes no more chunks.
    pub(super) fn append(&mut self, blocks: &[u8], compressor: &mut Compressor) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("writing to this file failed before"));
        }
        if blocks.is_empty() {
            return Ok(());
        }
        self.append_chunk(blocks, compressor).inspect_err(|_| {
            self.failed = true;
            self.restore(compressor.end());
        })
    }

    fn append_chunk(&mut self, blocks: &[u8], compressor: &mut Compressor) -> io::Result<()> {
        if self.length == 0 {
            compressor.restart()?;
        }
        let end = compressor.end().len();
        let chunk = compressor.chunk(blocks)?;
        let length = chunk.len() - end;
        let written = if self.medium.is_seekable() {
            chunk
        } else {
            &chunk[..length]
        };
        self.medium.write(self.length, written)?;
        self.length += length as u64;
        Ok(())
    }

    /// Undoes what a failed write may have done. The end takes the bytes it had before, so it needs no new space. When
    /// this fails too there is nothing more to do: readers stop at the incomplete chunk.
    fn restore(&mut self, end: &[u8]) {
        self.medium.truncate(self.length).ok();
        if self.length > 0 && self.medium.is_seekable() {
            self.medium.write(self.length, end).ok();
        }
    }

    /// Completes the file: no more chunks will come.
    pub(super) fn finish(&mut self, compressor: &Compressor) -> io::Result<()> {
        if self.failed || self.length == 0 || self.medium.is_seekable() {
            return Ok(());
        }
        self.medium.write(self.length, compressor.end())
    }

    /// Waits until everything is on stable storage.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.medium.sync()
    }
}
