//! Messages that have not arrived yet, on disk: one file each, so that none is lost when the process is killed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::message::Delivery;

const SUFFIX: &str = "json";
const UNFINISHED: &str = "part";

/// Bounds of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueBounds {
    /// Most messages, over all channels.
    pub messages: usize,
    /// Most bytes, over all channels.
    pub bytes: u64,
    /// A message that is older is given up.
    pub age: Duration,
}

impl Default for QueueBounds {
    fn default() -> Self {
        Self {
            messages: 1000,
            bytes: 16 << 20,
            age: Duration::from_secs(24 * 3600),
        }
    }
}

struct Entry {
    delivery: Delivery,
    bytes: u64,
}

/// The queue. What is in memory is also on disk, unless the disk refuses.
pub(super) struct Spool {
    directory: Option<PathBuf>,
    bounds: QueueBounds,
    entries: BTreeMap<u64, Entry>,
    bytes: u64,
}

/// What came of putting a message in the queue.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// Messages for which there is no room, possibly the new one: the least serious first, of those the oldest.
    pub(super) dropped: Vec<Delivery>,
    /// The disk refused; the message waits in memory only.
    pub(super) error: Option<io::Error>,
}

impl Spool {
    /// A queue that ends with the process.
    pub(super) const fn in_memory(bounds: QueueBounds) -> Self {
        Self {
            directory: None,
            bounds,
            entries: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// The queue in this folder, with what is left in it. Files that cannot be read are put aside and named.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub(super) fn open(directory: &Path, bounds: QueueBounds) -> io::Result<(Self, Vec<PathBuf>)> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut spool = Self::in_memory(bounds);
        let mut damaged = Vec::new();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            match path.extension().and_then(|extension| extension.to_str()) {
                Some(SUFFIX) => match read(&path) {
                    Ok((delivery, bytes)) => spool.insert(delivery, bytes),
                    Err(_) => {
                        fs::rename(&path, path.with_extension("damaged"))?;
                        damaged.push(path);
                    }
                },
                // Killed while it was written: the engine does not believe that it was told.
                Some(UNFINISHED) => fs::remove_file(&path)?,
                _ => {}
            }
        }
        spool.directory = Some(directory.to_owned());
        Ok((spool, damaged))
    }

    fn insert(&mut self, delivery: Delivery, bytes: u64) {
        self.bytes += bytes;
        self.entries.insert(delivery.id, Entry { delivery, bytes });
    }

    /// The folder, when there is one.
    pub(super) fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Puts a message at the end.
    pub(super) fn push(&mut self, stored: Stored) -> Pushed {
        self.insert(stored.delivery, stored.bytes);
        Pushed {
            dropped: self.make_room(),
            error: stored.error,
        }
    }

    /// Drops what is too much.
    fn make_room(&mut self) -> Vec<Delivery> {
        let mut dropped = Vec::new();
        while self.entries.len() > self.bounds.messages || self.bytes > self.bounds.bytes {
            let least = self.entries.values().map(|entry| &entry.delivery);
            let Some(id) = least.min_by_key(|one| (one.message.level, one.id)).map(|one| one.id) else {
                break;
            };
            dropped.extend(self.remove(id));
        }
        dropped
    }

    /// The oldest message for a channel.
    pub(super) fn first(&self, channel: &str) -> Option<&Delivery> {
        let mut deliveries = self.entries.values().map(|entry| &entry.delivery);
        deliveries.find(|delivery| delivery.channel == channel)
    }

    /// Takes a message out, when it has arrived or is given up.
    pub(super) fn remove(&mut self, id: u64) -> Option<Delivery> {
        let entry = self.entries.remove(&id)?;
        self.bytes -= entry.bytes;
        if let Some(directory) = &self.directory {
            // At worst it is delivered again after a restart.
            let _ = fs::remove_file(directory.join(name(id, SUFFIX)));
        }
        Some(entry.delivery)
    }

    /// Everything in it, the oldest first.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.entries.values().map(|entry| &entry.delivery)
    }

    /// Bytes in it.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// A message that is on disk, if the disk took it.
pub(super) struct Stored {
    delivery: Delivery,
    bytes: u64,
    error: Option<io::Error>,
}

/// Writes a message to the folder of a queue. Apart from [`Spool::push`], so that nobody waits for the disk who only
/// wants to look at the queue.
pub(super) fn store(directory: Option<&Path>, delivery: Delivery) -> Stored {
    let text = serde_json::to_vec(&delivery).map_err(io::Error::from);
    let written = match (&text, directory) {
        (Ok(text), Some(directory)) => write_whole(&directory.join(name(delivery.id, SUFFIX)), text),
        _ => Ok(()),
    };
    Stored {
        bytes: text.as_ref().map_or(0, |text| text.len() as u64),
        error: text.err().or(written.err()),
        delivery,
    }
}

fn name(id: u64, suffix: &str) -> String {
    format!("{id:016x}.{suffix}")
}

fn read(path: &Path) -> io::Result<(Delivery, u64)> {
    let text = fs::read(path)?;
    Ok((serde_json::from_slice(&text)?, text.len() as u64))
}

/// Writes a file so that after a crash it is there as a whole or not at all.
pub(crate) fn write_whole(path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // A full disk gets back what was written of it.
        let _ = fs::remove_file(&unfinished);
    }
    written?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine::{News, State};
    use super::super::message::{Item, Message};
    use super::super::notice::{Labels, Level, Notice};
    use super::super::time::Time;
    use super::*;

    impl Spool {
        fn take(&mut self, delivery: Delivery) -> Pushed {
            self.push(store(self.directory(), delivery))
        }
    }

    fn delivery(id: u64, level: Level) -> Delivery {
        let notice = Notice::new(level, "memory", "memory is short");
        let item = Item {
            id: notice.fingerprint(),
            news: News::Fired,
            state: State::Firing,
            notice,
            since: Time(1),
            ended: None,
            count: 1,
            is_event: false,
        };
        let message = Message {
            at: Time(1),
            level,
            group: Labels::new(),
            items: vec![item],
        };
        Delivery {
            id,
            channel: if id.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
            message,
        }
    }

    fn ids(spool: &Spool) -> Vec<u64> {
        spool.deliveries().map(|delivery| delivery.id).collect()
    }

    #[test]
    fn what_was_queued_is_there_after_a_restart_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let (mut spool, _) = Spool::open(folder.path(), QueueBounds::default()).unwrap();
        for id in [3, 1, 20, 4] {
            assert!(spool.take(delivery(id, Level::Warning)).error.is_none());
        }
        spool.remove(1);
        // Not closed in any way: as after a kill.
        std::mem::forget(spool);
        fs::write(folder.path().join("0000000000000005.part"), "{\"id\"").unwrap();
        let (spool, damaged) = Spool::open(folder.path(), QueueBounds::default()).unwrap();
        assert_eq!((ids(&spool), damaged), (vec![3, 4, 20], vec![]));
        assert_eq!(spool.first("even"), Some(&delivery(4, Level::Warning)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("0000000000000001.json");
        fs::write(&path, "{\"id\": 1, \"chan").unwrap();
        let (spool, damaged) = Spool::open(folder.path(), QueueBounds::default()).unwrap();
        assert_eq!((ids(&spool), damaged), (vec![], vec![path.clone()]));
        assert!(path.with_extension("damaged").exists());
    }

    #[test]
    fn the_least_serious_and_of_those_the_oldest_is_dropped() {
        let bounds = QueueBounds {
            messages: 3,
            ..QueueBounds::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let (mut spool, _) = Spool::open(folder.path(), bounds).unwrap();
        for (id, level) in [(1, Level::Warning), (2, Level::Critical), (3, Level::Warning)] {
            assert!(spool.take(delivery(id, level)).dropped.is_empty());
        }
        assert_eq!(spool.take(delivery(4, Level::Critical)).dropped[0].id, 1);
        assert_eq!(spool.take(delivery(5, Level::Info)).dropped[0].id, 5);
        assert_eq!(spool.take(delivery(6, Level::Critical)).dropped[0].id, 3);
        assert_eq!(ids(&spool), [2, 4, 6]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn bytes_are_bounded_too_and_given_back() {
        let one = serde_json::to_vec(&delivery(1, Level::Warning)).unwrap().len() as u64;
        let bounds = QueueBounds {
            bytes: one * 2,
            ..QueueBounds::default()
        };
        let mut spool = Spool::in_memory(bounds);
        spool.take(delivery(1, Level::Warning));
        spool.take(delivery(3, Level::Warning));
        assert_eq!(spool.take(delivery(5, Level::Warning)).dropped.len(), 1);
        assert_eq!(ids(&spool), [3, 5]);
        spool.remove(3);
        spool.remove(5);
        assert_eq!(spool.bytes(), 0);
    }

    #[test]
    fn a_disk_that_refuses_leaves_the_message_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("spool");
        let (mut spool, _) = Spool::open(&place, QueueBounds::default()).unwrap();
        fs::remove_dir_all(&place).unwrap();
        let pushed = spool.take(delivery(1, Level::Critical));
        assert!(pushed.error.is_some() && pushed.dropped.is_empty());
        assert!(spool.first("odd").is_some());
    }
}
