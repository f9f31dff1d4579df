//! Backups of what a capture is configured by and remembers: one archive (tar, zstd) with a manifest of hashes.
//!
//! In it are the configuration files, the database as it is at one moment (also while a daemon writes it) and the state of
//! alerts. It may be encrypted with age as a whole. Packets are not in it, and neither are secrets unless they are asked for. Alert messages on their way are not: an
//! alert that still holds is told again. Nothing here asks the daemon for anything.

mod create;
mod error;
mod folder;
mod manifest;
mod read;
mod restore;
mod sources;

pub use create::{Created, Wanted, create};
pub use error::BackupError;
pub use folder::{Listed, list, retain};
pub use manifest::{Item, Kind, Manifest};
pub use read::{Verified, verify};
pub use restore::{Placed, Restored, restore};
pub use sources::Sources;
