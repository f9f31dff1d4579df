//! Compression of whole chunks: each becomes a gzip member or zstd frame of its own.
//!
//! So a file can be read up to its last chunk however it ended, a failed write can be undone to a chunk's end, and
//! no state is carried from one to the next.

use std::io;

use flate2::{Compress, Crc, FlushCompress, Status};

use super::error::SinkError;
use crate::data::{Compression, Format};

/// Level of zstd, 1 to 22 in the library's terms; 3 is its default and keeps up with a few hundred MB/s.
const ZSTD_LEVEL: i32 = 3;

/// Level of gzip; the fast end, since a live capture waits for it.
const GZIP_LEVEL: u32 = 3;

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
            Compression::None => 256 << 10,
            // Larger chunks compress better.
            Compression::Gzip | Compression::Zstd => 1 << 20,
        }
    }
}

/// Compresses chunks, reusing its memory.
pub(super) enum Compressor {
    None,
    Gzip {
        state: Box<Compress>,
        output: Vec<u8>,
    },
    Zstd {
        state: Box<zstd::bulk::Compressor<'static>>,
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
            Compression::Zstd => Self::Zstd {
                state: Box::new(zstd_compressor().map_err(|source| SinkError::Compressor {
                    compression: "zstd",
                    source,
                })?),
                output: Vec::new(),
            },
        })
    }

    /// `chunk` as it shall stand in the file.
    pub(super) fn chunk<'a>(&'a mut self, chunk: &'a [u8]) -> io::Result<&'a [u8]> {
        match self {
            Self::None => Ok(chunk),
            Self::Gzip { state, output } => {
                gzip(state, chunk, output)?;
                Ok(output)
            }
            Self::Zstd { state, output } => {
                output.clear();
                output.reserve(zstd::zstd_safe::compress_bound(chunk.len()));
                state.compress_to_buffer(chunk, output)?;
                Ok(output)
            }
        }
    }
}

fn zstd_compressor() -> io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL)?;
    compressor.set_parameter(zstd::zstd_safe::CParameter::ChecksumFlag(true))?;
    Ok(compressor)
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
