//! Opens the bytes of a capture: a file or standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes to look at in order to tell the format.
pub(super) const SNIFF: usize = 4;

/// A byte source that was looked at, together with what progress needs.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) start: Vec<u8>,
    pub(super) bytes: Box<dyn Read + Send>,
    pub(super) consumed: Arc<AtomicU64>,
    pub(super) total: Option<u64>,
    /// The same bytes once more, where they are those of a plain file.
    pub(super) file: Option<File>,
}

impl Source {
    /// Opens `path`; `-` is standard input.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::new("standard input".into(), Box::new(io::stdin()), None);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
        }
        let total = metadata.is_file().then_some(metadata.len());
        let again = if metadata.is_file() {
            Some(file.try_clone()?)
        } else {
            None
        };
        let mut source = Self::new(path.display().to_string(), Box::new(file), total)?;
        source.file = again;
        Ok(source)
    }

    /// Looks at the first bytes of `bytes`.
    pub(super) fn new(name: String, bytes: Box<dyn Read + Send>, total: Option<u64>) -> io::Result<Self> {
        let consumed = Arc::new(AtomicU64::new(0));
        let mut bytes = Counted {
            bytes,
            count: Arc::clone(&consumed),
        };
        let start = read_start(&mut bytes)?;
        let bytes = io::Cursor::new(start.clone()).chain(bytes);
        Ok(Self {
            name,
            start,
            bytes: Box::new(bytes),
            consumed,
            total,
            file: None,
        })
    }
}

/// The first [`SNIFF`] bytes, or all when there are fewer.
pub(super) fn read_start(bytes: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(SNIFF);
    bytes.take(SNIFF as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// Counts the bytes that pass through.
struct Counted<R> {
    bytes: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
