//! Documents that no server has taken yet, on disk: one file each, within a bound, so that none is lost with the process.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::control::alert::spool::write_whole;

const SUFFIX: &str = "ndjson";
const UNFINISHED: &str = "part";

/// A document: where it is kept in memory, the disk has refused it.
struct Entry {
    bytes: u64,
    text: Option<Vec<u8>>,
}

/// The queue, the oldest document first.
pub(super) struct Spool {
    directory: PathBuf,
    most_bytes: u64,
    entries: BTreeMap<u64, Entry>,
    bytes: u64,
    /// Numbers are not used twice, not even when the queue was empty in between.
    next: u64,
}

/// What came of putting a document in the queue.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// Documents that had to make room, possibly the new one.
    pub(super) dropped: usize,
    /// The disk refused; the document waits in memory only.
    pub(super) error: Option<io::Error>,
}

/// Documents that go together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Their numbers, in the order of the lines.
    pub(super) numbers: Vec<u64>,
    /// Their lines.
    pub(super) body: Vec<u8>,
    /// Documents that were to go and that the disk has lost.
    pub(super) lost: usize,
}

impl Spool {
    /// The queue in this folder, with what is left in it.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub(super) fn open(directory: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut spool = Self {
            directory: directory.to_owned(),
            most_bytes,
            entries: BTreeMap::new(),
            bytes: 0,
            next: 1,
        };
        for file in fs::read_dir(directory)? {
            let path = file?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some(SUFFIX) => {
                    if let Some(number) = number(&path) {
                        spool.insert(number, fs::metadata(&path)?.len(), None);
                    }
                }
                // Killed while it was written.
                Some(UNFINISHED) => fs::remove_file(&path)?,
                _ => {}
            }
        }
        Ok(spool)
    }

    /// Puts a document at the end.
    pub(super) fn push(&mut self, text: Vec<u8>) -> Pushed {
        let number = self.next;
        let written = write_whole(&self.path(number), &text);
        let (bytes, error) = (text.len() as u64, written.err());
        self.insert(number, bytes, error.is_some().then_some(text));
        Pushed {
            dropped: self.make_room(),
            error,
        }
    }

    fn insert(&mut self, number: u64, bytes: u64, text: Option<Vec<u8>>) {
        self.bytes += bytes;
        self.next = self.next.max(number.saturating_add(1));
        self.entries.insert(number, Entry { bytes, text });
    }

    /// Drops the oldest until the bound holds, and says how many.
    pub(super) fn make_room(&mut self) -> usize {
        let mut dropped = 0;
        while self.bytes > self.most_bytes {
            let Some((&oldest, _)) = self.entries.first_key_value() else {
                break;
            };
            self.remove(oldest);
            dropped += 1;
        }
        dropped
    }

    /// The oldest documents, at most so many and so many bytes, but at least one. What cannot be read is given up.
    pub(super) fn batch(&mut self, documents: usize, bytes: u64) -> Batch {
        let mut batch = Batch::default();
        let mut lost = Vec::new();
        for (&number, entry) in &self.entries {
            let is_full = batch.numbers.len() >= documents || batch.body.len() as u64 + entry.bytes > bytes;
            if is_full && !batch.numbers.is_empty() {
                break;
            }
            let text = match &entry.text {
                Some(text) => Ok(text.clone()),
                None => fs::read(self.path(number)),
            };
            match text {
                Ok(text) if is_whole(&text) => {
                    batch.numbers.push(number);
                    batch.body.extend_from_slice(&text);
                }
                _ => lost.push(number),
            }
        }
        batch.lost = lost.len();
        for number in lost {
            self.remove(number);
        }
        batch
    }

    /// Takes a document out, when it has arrived or is given up; false when it was not there any more.
    pub(super) fn remove(&mut self, number: u64) -> bool {
        let Some(entry) = self.entries.remove(&number) else {
            return false;
        };
        self.bytes -= entry.bytes;
        // At worst it is sent again after a restart, under the same identity.
        let _ = fs::remove_file(self.path(number));
        true
    }

    /// Documents in it.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes in it.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    fn path(&self, number: u64) -> PathBuf {
        self.directory.join(format!("{number:016x}.{SUFFIX}"))
    }
}

/// Two lines of JSON objects: anything else would make the server refuse the whole request.
fn is_whole(text: &[u8]) -> bool {
    let is_object =
        |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).is_ok_and(|value| value.is_object());
    let Some(lines) = text.strip_suffix(b"\n") else {
        return false;
    };
    let mut lines = lines.split(|&byte| byte == b'\n');
    let two = [lines.next(), lines.next()];
    lines.next().is_none() && two.iter().all(|line| line.is_some_and(is_object))
}

fn number(path: &Path) -> Option<u64> {
    u64::from_str_radix(path.file_stem()?.to_str()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &[u8] = b"{\"create\":{}}\n{\"a\":1}\n";

    #[test]
    fn the_oldest_make_room_and_bytes_are_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 2 * LINES.len() as u64).unwrap();
        for number in 1..=5 {
            let pushed = spool.push(LINES.to_vec());
            assert_eq!(
                (pushed.dropped, pushed.error.is_none()),
                (usize::from(number > 2), true)
            );
        }
        assert_eq!(spool.batch(10, 1 << 20).numbers, [4, 5]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        spool.remove(4);
        spool.remove(5);
        assert_eq!((spool.len(), spool.bytes(), spool.next), (0, 0, 6));
    }

    #[test]
    fn what_was_queued_is_there_after_a_restart_and_a_smaller_bound_holds() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        for _ in 1..=3 {
            spool.push(LINES.to_vec());
        }
        fs::write(folder.path().join("000000000000001f.part"), "{").unwrap();
        let mut spool = Spool::open(folder.path(), LINES.len() as u64).unwrap();
        assert_eq!((spool.len(), spool.next), (3, 4));
        assert_eq!(spool.make_room(), 2);
        assert_eq!(spool.batch(10, 1 << 20).body, LINES);
    }

    #[test]
    fn a_batch_has_bounds_but_is_never_empty() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        (1..=4).for_each(|_| drop(spool.push(LINES.to_vec())));
        assert_eq!(spool.batch(3, 1 << 20).numbers, [1, 2, 3]);
        assert_eq!(spool.batch(3, 2 * LINES.len() as u64).numbers, [1, 2]);
        assert_eq!(spool.batch(3, 1).numbers, [1]);
    }

    #[test]
    fn a_damaged_or_missing_file_is_given_up_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(folder.path(), 1 << 20).unwrap();
        (1..=3).for_each(|_| drop(spool.push(LINES.to_vec())));
        fs::write(spool.path(1), "{\"create\":{}}\n{\"a\":").unwrap();
        fs::remove_file(spool.path(2)).unwrap();
        let batch = spool.batch(10, 1 << 20);
        assert_eq!((batch.numbers, batch.lost, spool.len()), (vec![3], 2, 1));
    }

    #[test]
    fn a_disk_that_refuses_leaves_the_document_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("spool");
        let mut spool = Spool::open(&place, 1 << 20).unwrap();
        fs::remove_dir_all(&place).unwrap();
        assert!(spool.push(LINES.to_vec()).error.is_some());
        assert_eq!(spool.batch(10, 1 << 20).body, LINES);
    }
}
