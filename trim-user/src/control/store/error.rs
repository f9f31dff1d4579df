//! What can go wrong with the database.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::schema::VERSION;

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be made.
    #[error("cannot make the database {}: {error}; its folder must exist and be writable", .path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A newer version of this program wrote it.
    #[error(
        "the database {} has schema version {found}, and this program knows versions up to {VERSION}: \
         use the program that wrote it, or move the file away", .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: u32,
    },
    /// It is to be read only, and has to be changed before it can be read.
    #[error(
        "the database {} has schema version {found} instead of {VERSION}: the daemon brings it up to date when it starts",
        .path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: u32,
    },
    /// It is a database of another program.
    #[error("{} is a database of another program: name another file as `control.database`", .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// SQLite refused.
    #[error("the database {}: cannot {task}: {error}", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What was tried.
        task: &'static str,
        /// Why it failed.
        error: rusqlite::Error,
    },
    /// What is stored is not what this program stores.
    #[error("the database {}: {what} cannot be read: {error}", .path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Where.
        what: String,
        /// Why it cannot be read.
        error: serde_json::Error,
    },
    /// A damaged file cannot be moved out of the way.
    #[error("the damaged database {} cannot be moved aside: {error}", .path.display())]
    MoveAside {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What is to be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Try again: the disk may have room, or another process may have finished.
    Retry,
    /// The file is damaged; begin a new one.
    MoveAside,
    /// It would fail again: give this entry up.
    GiveUp,
}

impl StoreError {
    pub(super) fn remedy(&self) -> Remedy {
        let Self::Database { error, .. } = self else {
            return match self {
                Self::Content { .. } => Remedy::GiveUp,
                _ => Remedy::Retry,
            };
        };
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Remedy::MoveAside,
            Some(
                ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::ParameterOutOfRange,
            )
            | None => Remedy::GiveUp,
            Some(_) => Remedy::Retry,
        }
    }
}
