//! Writes jobs, and begins a new file where the old one is damaged or gone.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::backlog::{Job, Receipt};
use super::configurations::ConfigurationVersion;
use super::decisions::{Entry, Standing};
use super::error::{Remedy, StoreError};
use super::events::Event;
use super::file::Store;
use crate::control::health::Moment;

/// More damaged files than this are not put aside: then it is the machine that is damaged.
const MOST_MOVED: usize = 8;

/// See the module.
pub(super) struct Writer {
    path: PathBuf,
    store: Option<Store>,
    /// Device and inode of the open file.
    identity: Option<(u64, u64)>,
    /// Counts files: a number of a decision says nothing about another file.
    file: u32,
    /// What the database said last: a new file begins with it.
    latest: Option<(Arc<Entry>, Arc<Receipt>)>,
    /// The configuration that became active last: a new file begins with it, too.
    configured: Option<ConfigurationVersion>,
    moved: Vec<PathBuf>,
    /// Why the file before this one is not used any more, until the new one says so.
    replaced: Option<String>,
}

impl Writer {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            store: None,
            identity: None,
            file: 0,
            latest: None,
            configured: None,
            moved: Vec::new(),
            replaced: None,
        }
    }

    /// Reads where the rollout stands; a damaged file is moved aside before.
    pub(super) fn load(&mut self) -> Result<Option<Standing>, StoreError> {
        let read = |writer: &mut Self| writer.open()?.load_state();
        match read(self) {
            Err(error) if error.remedy() == Remedy::MoveAside => {
                self.move_aside(&error)?;
                read(self)
            }
            result => result,
        }
    }

    /// The number of the present file.
    pub(super) const fn file(&self) -> u32 {
        self.file
    }

    /// Writes a job. After an error the file is opened anew for the next try.
    pub(super) fn write(&mut self, job: &Job) -> Result<(), StoreError> {
        let result = self.try_to_write(job);
        if result.is_err() {
            self.store = None;
        }
        result
    }

    fn try_to_write(&mut self, job: &Job) -> Result<(), StoreError> {
        let file = self.file_in_use()?;
        let store = self.open()?;
        match job {
            Job::Sample(sample) => store.record_sample(&sample.0, &sample.1),
            Job::Event(event) => store.event(event).map(drop),
            Job::Configured(version, number) => {
                let stored = store.configured(version)?;
                self.configured = Some((**version).clone());
                // Nobody may wait any more.
                let _ = number.try_send(stored);
                Ok(())
            }
            Job::Decision(entry, receipt) => {
                let sequence = store.record_decision(entry)?;
                receipt.update(|fate| fate.place = Some((file, sequence)));
                self.latest = Some((Arc::clone(entry), Arc::clone(receipt)));
                Ok(())
            }
            Job::Acted(receipt) => {
                // A decision that was given up or lies in a file that was moved aside has nothing to be marked.
                if let Some((_, sequence)) = receipt.fate().place.filter(|place| place.0 == file) {
                    store.acted(sequence)?;
                }
                receipt.update(|fate| fate.is_done = true);
                Ok(())
            }
        }
    }

    /// Opens the file if need be, notices when somebody removed it, and gives its number.
    fn file_in_use(&mut self) -> Result<u32, StoreError> {
        if self.identity.is_some() && self.identity != identity(&self.path) {
            self.store = None;
            self.replace(format!("{} was removed or replaced", self.path.display()));
        }
        self.open()?;
        Ok(self.file)
    }

    fn open(&mut self) -> Result<&mut Store, StoreError> {
        let mut store = match self.store.take() {
            Some(store) => store,
            None => Store::open(&self.path)?,
        };
        self.identity = identity(&self.path);
        if let Some(reason) = self.replaced.clone() {
            self.begin(&mut store, reason)?;
            self.replaced = None;
        }
        Ok(self.store.insert(store))
    }

    /// A new file begins with why it is new, with the configuration that is active, and with the last decision.
    fn begin(&self, store: &mut Store, reason: String) -> Result<(), StoreError> {
        store.event(&Event {
            at: now(),
            kind: "database_replaced".to_owned(),
            who: "trim".to_owned(),
            why: reason,
            what: json!({ "moved_aside": self.moved }),
        })?;
        if let Some(version) = &self.configured {
            store.configured(version)?;
        }
        if let Some((entry, receipt)) = &self.latest {
            let sequence = store.record_decision(entry)?;
            receipt.update(|fate| fate.place = Some((self.file, sequence)));
            if receipt.fate().is_done {
                store.acted(sequence)?;
            }
        }
        Ok(())
    }

    fn replace(&mut self, reason: String) {
        tracing::error!(reason, "a new database is begun");
        self.file += 1;
        self.identity = None;
        self.replaced = Some(reason);
    }

    /// Moves a damaged file out of the way, under a name that says so, and what SQLite keeps beside it.
    pub(super) fn move_aside(&mut self, damage: &StoreError) -> Result<PathBuf, StoreError> {
        self.store = None;
        let failed = |error| StoreError::MoveAside {
            path: self.path.clone(),
            error,
        };
        if self.moved.len() >= MOST_MOVED {
            return Err(failed(io::Error::other(format!(
                "{MOST_MOVED} were moved aside already"
            ))));
        }
        let aside = beside(&self.path, &format!(".damaged-{}", now().0));
        for suffix in ["-wal", "-shm", ""] {
            match fs::rename(beside(&self.path, suffix), beside(&aside, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        self.moved.push(aside.clone());
        self.replace(format!("{damage}; the damaged file is kept as {}", aside.display()));
        Ok(aside)
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment(since.as_millis() as u64)
}
