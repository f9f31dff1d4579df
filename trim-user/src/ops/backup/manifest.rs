//! What a backup says of itself: the first file of the archive.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The format that this program writes.
pub(super) const FORMAT: u32 = 1;
/// The manifest's name in the archive.
pub(super) const NAME: &str = "manifest.json";
/// A manifest is never longer, bytes.
pub(super) const MOST_BYTES: u64 = 4 << 20;

/// What a backup says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format of the archive.
    pub format: u32,
    /// The program that made it.
    pub version: String,
    /// When, in RFC 3339.
    pub created: String,
    /// On which machine.
    pub host: String,
    /// The schema of the database in it; `None` when there was no database yet.
    pub schema: Option<u32>,
    /// The socket of the daemon that works on these files.
    pub socket: PathBuf,
    /// Whether secrets are in it.
    pub has_secrets: bool,
    /// Files with secrets that were left out.
    pub left_out: Vec<PathBuf>,
    /// What is in it, in the order of the archive.
    pub items: Vec<Item>,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A configuration file.
    Configuration,
    /// A file with a secret.
    Secret,
    /// The database.
    Database,
    /// The state of alerts.
    Alerts,
}

/// A file of the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name in the archive.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Where it was, and is restored to; absolute.
    pub origin: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Length, bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl Item {
    /// Whether it can be put back without leading anywhere else.
    pub(super) fn is_plain(&self) -> bool {
        use std::path::Component;
        self.origin.is_absolute()
            && self.origin.file_name().is_some()
            && self.origin.components().all(|part| part != Component::ParentDir)
    }
}
