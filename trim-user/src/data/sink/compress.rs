//! Compression in chunks, so that a file can be read up to its last chunk however it ended.
//!
//! With gzip each chunk is a member of its own. With zstd the chunks are flushed parts of one frame, because Wireshark
//! 4.0 stops somewhere in a file of several frames; what ends the frame is three constant bytes, which stand behind the
//! last chunk and are overwritten by the next one.

use std::io;

use flate2::{Compress, Crc, FlushCompress, Status};
use zstd::stream::raw::{Encoder as ZstdEncoder, InBuffer, Operation, OutBuffer};

use super::error::SinkError;
use crate::data::{Compression, Format};

/// Level of zstd, 1 to 22 in the library's terms; 3 is its default and keeps up with a few hundred MB/s.
const ZSTD_LEVEL: i32 = 3;

/// Level of gzip; the fast end, since a live capture waits for it.
const GZIP_LEVEL: u32 = 3;

/// An empty block that is the last one of its frame (RFC 8878 section 3.1.1.2); frames here carry no checksum.
const ZSTD_END: [u8; 3] = [1, 0, 0];

/// Compressed bytes taken from the library at a time.
const ZSTD_PIECE: usize = 128 << 10;

/// gzip header without name and time (RFC 1952 section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// Format and compression of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputFormat {
    /// File format.
    pub format: Format,
    /// Compression around it.
    pub compression: Compression,
}

impl OutputFormat {
    /// The end of file names: `pcapng`, `pcap.zst`, ...
    pub fn extension(self) -> String {
        format!("{}{}", self.format.extension(), self.compression.suffix())
    }

    /// Bytes of formatted packets that are gathered before they are written, in one chunk.
    pub(super) const fn chunk_size(self) -> usize {
        match self.compression {
            Compression::None => 64 << 10,
            // Larger chunks compress better.
            Compression::Gzip | Compression::Zstd => 1 << 20,
        }
    }
}

/// Compresses the chunks of one file after the other, reusing its memory.
pub(super) enum Compressor {
    None,
    Gzip {
        state: Box<Compress>,
        output: Vec<u8>,
    },
    Zstd {
        state: Box<ZstdEncoder<'static>>,
        piece: Box<[u8]>,
        output: Vec<u8>,
    },
}

impl Compressor {
    pub(super) fn new(compression: Compression) -> Result<Self, SinkError> {
        Ok(match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::Gzip {
                state: Box::new(Compress::new(flate2::Compression::new(GZIP_LEVEL), false)),
                output: Vec::new(),
            },
            Compression::Zstd => {
                let state = ZstdEncoder::new(ZSTD_LEVEL);
                let state = state.map_err(|source| SinkError::Compressor {
                    compression: "zstd",
                    source,
                })?;
                Self::Zstd {
                    state: Box::new(state),
                    piece: vec![0; ZSTD_PIECE].into(),
                    output: Vec::new(),
                }
            }
        })
    }

    /// Begins a new file.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        match self {
            Self::None | Self::Gzip { .. } => Ok(()),
            Self::Zstd { state, .. } => state.reinit(),
        }
    }

    /// What must stand behind the last chunk of a file.
    pub(super) fn end(&self) -> &'static [u8] {
        match self {
            Self::None | Self::Gzip { .. } => &[],
            Self::Zstd { .. } => &ZSTD_END,
        }
    }

    /// `chunk` as it shall stand in the file, with [`Compressor::end`] behind it. The chunks of a file build on each
    /// other: none may be left out.
    pub(super) fn chunk<'a>(&'a mut self, chunk: &'a [u8]) -> io::Result<&'a [u8]> {
        match self {
            Self::None => Ok(chunk),
            Self::Gzip { state, output } => {
                gzip(state, chunk, output)?;
                Ok(output)
            }
            Self::Zstd { state, piece, output } => {
                zstd(state, chunk, piece, output)?;
                output.extend_from_slice(&ZSTD_END);
                Ok(output)
            }
        }
    }
}

/// Makes `output` whole zstd blocks that hold `chunk`.
fn zstd(state: &mut ZstdEncoder<'_>, chunk: &[u8], piece: &mut [u8], output: &mut Vec<u8>) -> io::Result<()> {
    output.clear();
    let mut input = InBuffer::around(chunk);
    while input.pos() < chunk.len() {
        let mut compressed = OutBuffer::around(piece);
        state.run(&mut input, &mut compressed)?;
        output.extend_from_slice(compressed.as_slice());
    }
    loop {
        let mut compressed = OutBuffer::around(piece);
        let left = state.flush(&mut compressed)?;
        output.extend_from_slice(compressed.as_slice());
        if left == 0 {
            return Ok(());
        }
    }
}

/// Makes `output` one gzip member that holds `chunk`.
fn gzip(state: &mut Compress, chunk: &[u8], output: &mut Vec<u8>) -> io::Result<()> {
    let mut crc = Crc::new();
    crc.update(chunk);
    output.clear();
    output.extend_from_slice(&GZIP_HEADER);
    state.reset();
    loop {
        output.reserve(64 << 10);
        let taken = state.total_in() as usize;
        let status = state
            .compress_vec(&chunk[taken..], output, FlushCompress::Finish)
            .map_err(io::Error::other)?;
        if status == Status::StreamEnd {
            break;
        }
    }
    output.extend_from_slice(&crc.sum().to_le_bytes());
    output.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(())
}
