//! Makes and names files; tests put a full disk in its place.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::super::chunk::Medium;

/// Where the files of a rotating sink are made.
pub(super) trait Volume: Send {
    /// Makes a file that must not exist yet.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Medium>>;
}

/// The file system.
pub(super) struct Disk;

impl Volume for Disk {
    /// The file is locked as long as it is open: that is how other processes tell it from one left behind.
    fn create(&self, path: &Path) -> io::Result<Box<dyn Medium>> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        // Some network file systems know no locks; recovery then takes the file for a live one and lets it be.
        file.try_lock().ok();
        Ok(Box::new(file))
    }
}

/// Renames a file unless the new name is taken ([`io::ErrorKind::AlreadyExists`]).
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // The file system cannot do it in one step; a link does not replace anything either.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// Makes names in a folder outlive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
