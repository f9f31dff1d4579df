//! What is needed to find out, elsewhere and later, what was wrong: an archive, and a page made of it.
//!
//! [`collect`] takes what the daemon, its files, proc(5) and the pinned maps tell; each part that cannot be had is named in
//! the manifest with the reason. [`Collected`] is the archive read back, [`findings`] judges it (pure), [`page`] shows it.

mod archive;
mod collect;
mod collected;
mod findings;
mod manifest;
mod page;
mod plots;

use std::io;
use std::path::PathBuf;

pub use archive::{Archive, Members};
pub use collect::{Sources, Wanted, collect};
pub use collected::{Collected, InterfaceFacts, MapFacts, ThreadFacts};
pub use findings::{Finding, Severity, findings};
pub use manifest::{Daemon, Manifest, Part};
pub use page::page;

/// Why an archive cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum DiagError {
    /// It cannot be written.
    #[error("cannot write {}: {error}; `--output-dir` names another place", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is something else.
    #[error("{} is no archive of `trim diag collect`: {reason}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// There is none.
    #[error("there is no archive of `trim diag collect` in {}", .0.display())]
    None(PathBuf),
}
