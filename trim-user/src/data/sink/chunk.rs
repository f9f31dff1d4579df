//! A file that grows by whole chunks only.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;

use super::compress::Compressor;

/// What chunks are written to. Tests put a failing one in the place of a file.
pub(super) trait Medium: Send {
    /// Writes all of `bytes` at the end.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `length` bytes and goes on from there.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Waits until everything is on stable storage.
    fn sync(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.seek(SeekFrom::Start(length)).map(drop)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Standard output. It may be appended to somebody else's file, so it is never cut.
pub(super) struct StandardOutput(File);

impl StandardOutput {
    pub(super) fn open() -> io::Result<Self> {
        // Without the line buffer of `std::io::Stdout`, each chunk is one write.
        io::stdout().as_fd().try_clone_to_owned().map(|fd| Self(fd.into()))
    }
}

impl Medium for StandardOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn truncate(&mut self, _length: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Appends chunks; a chunk is there as a whole or not at all, whatever error comes in between.
pub(super) struct ChunkFile {
    medium: Box<dyn Medium>,
    /// Where the last whole chunk ends, bytes.
    length: u64,
}

impl ChunkFile {
    pub(super) fn new(medium: Box<dyn Medium>) -> Self {
        Self { medium, length: 0 }
    }

    /// Bytes of whole chunks in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends `blocks` as one chunk. On error the file ends where it ended before, if the medium can be cut at all.
    pub(super) fn append(&mut self, blocks: &[u8], compressor: &mut Compressor) -> io::Result<()> {
        if blocks.is_empty() {
            return Ok(());
        }
        let chunk = compressor.chunk(blocks)?;
        match self.medium.write(chunk) {
            Ok(()) => {
                self.length += chunk.len() as u64;
                Ok(())
            }
            Err(error) => {
                // When cutting fails too there is nothing more to do: readers stop at the incomplete chunk.
                self.medium.truncate(self.length).ok();
                Err(error)
            }
        }
    }

    /// Waits until everything is on stable storage.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.medium.sync()
    }
}
