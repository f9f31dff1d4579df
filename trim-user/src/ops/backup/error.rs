//! What can go wrong with a backup.

use std::io;
use std::path::PathBuf;

use crate::control::store::StoreError;
use crate::sealed::SealedError;

/// What can go wrong with a backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The database cannot be copied, or a copy not opened.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The database is damaged.
    #[error("the database {} is damaged: {}; the daemon moves a damaged one aside when it starts", path.display(), complaints.join("; "))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        complaints: Vec<String>,
    },
    /// The archive is not what this program writes, or not any more.
    #[error("{} is no sound backup: {what}; `trim backup list` shows others", path.display())]
    Unsound {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A newer program made it.
    #[error("{} was made by trim {version} in format {found}, and this program knows up to {known}: restore it with that version", path.display())]
    Newer {
        /// The archive.
        path: PathBuf,
        /// The program that made it.
        version: String,
        /// Its format or schema.
        found: String,
        /// What this program knows.
        known: String,
    },
    /// The archive is encrypted and cannot be opened, or is to be and cannot.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// Another backup is being made in the same folder.
    #[error("another backup is being made in {}: wait for it", .0.display())]
    Busy(PathBuf),
    /// A daemon runs on what is to be replaced.
    #[error("a daemon uses {}: end it with `trim stop` first", .0.display())]
    Running(PathBuf),
}

impl BackupError {
    pub(super) fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { action, path, error }
    }

    /// Whether the archive itself is to blame.
    pub const fn is_unsound(&self) -> bool {
        matches!(
            self,
            Self::Unsound { .. } | Self::Newer { .. } | Self::Sealed(SealedError::Damaged { .. })
        )
    }

    /// Whether what was given is to blame, and not the machine: the archive, or the identity that does not open it.
    pub const fn is_bad_input(&self) -> bool {
        self.is_unsound() || matches!(self, Self::Sealed(_))
    }
}
