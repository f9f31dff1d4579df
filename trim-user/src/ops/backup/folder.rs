//! The folder that backups are kept in.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::BackupError;
use super::manifest::Manifest;
use super::read;

/// File names are `trim-backup-TIME.tar.zst`, with `.age` behind it when it is encrypted; their order is that of time.
const PREFIX: &str = "trim-backup-";

/// What an archive is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Whoever may read the file may read what is in it.
    Plain,
    /// Encrypted.
    Sealed,
}

impl Form {
    const ALL: [Self; 2] = [Self::Plain, Self::Sealed];

    /// How names of such files end.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Plain => ".tar.zst",
            Self::Sealed => ".tar.zst.age",
        }
    }

    /// That of a finished backup.
    fn of(file: &Path) -> Option<Self> {
        let name = name_of(file)?;
        Self::ALL.into_iter().find(|form| name.ends_with(form.suffix()))
    }
}

/// Of a file that is not finished.
const UNFINISHED: &str = ".part";

/// A folder in which this process alone makes a backup.
pub(super) struct Claimed {
    pub(super) path: PathBuf,
    _lock: File,
}

impl Claimed {
    /// Makes the folder when it is missing, and removes what a killed process left unfinished in it.
    pub(super) fn claim(path: &Path) -> Result<Self, BackupError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(BackupError::file("make", path))?;
        let lock = File::open(path).map_err(BackupError::file("open", path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(BackupError::Busy(path.to_owned())),
            Err(fs::TryLockError::Error(error)) => return Err(BackupError::file("lock", path)(error)),
        }
        for file in files(path)?.into_iter().filter(|file| is_unfinished(file)) {
            fs::remove_file(&file).map_err(BackupError::file("remove", file))?;
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The place of a backup made at `time`, which is not taken.
    pub(super) fn place(&self, time: &jiff::Timestamp, form: Form) -> PathBuf {
        let stem = format!("{PREFIX}{}", time.strftime("%Y%m%dT%H%M%S%3fZ"));
        self.path.join(stem + form.suffix())
    }
}

/// What a finished backup is called while it is written.
pub(super) fn unfinished(finished: &Path) -> PathBuf {
    let mut name = finished.as_os_str().to_owned();
    name.push(UNFINISHED);
    name.into()
}

fn name_of(file: &Path) -> Option<&str> {
    let name = file.file_name()?.to_str()?;
    name.starts_with(PREFIX).then_some(name)
}

/// Also the files that SQLite puts beside a copy while it is made.
fn is_unfinished(file: &Path) -> bool {
    name_of(file).is_some_and(|name| name.contains(UNFINISHED))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = fs::read_dir(folder).map_err(BackupError::file("list", folder))?;
    Ok(entries.flatten().map(|entry| entry.path()).collect())
}

/// The finished backups of a folder, the oldest first.
pub(super) fn finished(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = files(folder)?;
    found.retain(|file| Form::of(file).is_some());
    found.sort();
    Ok(found)
}

/// A backup of a folder.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// The archive.
    pub path: PathBuf,
    /// Its length, bytes.
    pub bytes: u64,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// What it says of itself.
    pub manifest: Option<Manifest>,
    /// Why that cannot be read.
    pub error: Option<String>,
}

/// The backups of a folder, the oldest first, by their manifests alone.
///
/// # Errors
/// When the folder cannot be listed.
pub fn list(folder: &Path) -> Result<Vec<Listed>, BackupError> {
    let describe = |path: PathBuf| {
        let (manifest, error) = match read::manifest(&path) {
            Ok(manifest) => (Some(manifest), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Listed {
            bytes: fs::metadata(&path).map_or(0, |metadata| metadata.len()),
            encrypted: Form::of(&path) == Some(Form::Sealed),
            path,
            manifest,
            error,
        }
    };
    Ok(finished(folder)?.into_iter().map(describe).collect())
}

/// Removes the oldest backups of a folder, but for `keep`; gives those removed.
///
/// # Errors
/// When one cannot be removed.
pub fn retain(folder: &Path, keep: usize) -> Result<Vec<PathBuf>, BackupError> {
    let mut old = finished(folder)?;
    old.truncate(old.len().saturating_sub(keep));
    for file in &old {
        fs::remove_file(file).map_err(BackupError::file("remove", file))?;
    }
    Ok(old)
}
