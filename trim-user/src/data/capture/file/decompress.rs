//! Which compression a file has, and the reader for it.

use std::io::{self, Read};

use super::gzip::GzipReader;
use super::zstd::ZstdReader;
use crate::data::Compression;

/// Compressed bytes read at a time.
pub(super) const COMPRESSED_READ: usize = 256 << 10;

/// Tells the compression by the first bytes of a file.
pub(super) fn sniff(start: &[u8]) -> Compression {
    match start {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
        // A file may also start with a skippable frame (RFC 8878 section 3.1.2).
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Compression::Zstd,
        _ => Compression::None,
    }
}

/// A reader of what `source` holds, decompressed.
pub(super) fn reader(compression: Compression, source: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    Ok(match compression {
        Compression::None => source,
        Compression::Gzip => Box::new(GzipReader::new(source)),
        Compression::Zstd => Box::new(ZstdReader::new(source)?),
    })
}
