//! Putting a backup back.
//!
//! Everything is first written beside its place and checked, the database brought to the present schema. Only then is each
//! old file given a second name and the new one put in its place by a rename: at every moment there is a whole file, and
//! nothing old is lost. When the process is killed in between, restoring again finishes it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::BackupError;
use super::manifest::{Item, Kind, Manifest};
use super::read;
use crate::control::store::{self, Store};

/// A file beside its place.
const STAGED: &str = ".restoring";

/// A file that was put back.
#[derive(Clone, Debug, Serialize)]
pub struct Placed {
    /// What it is for.
    pub kind: Kind,
    /// Where.
    pub path: PathBuf,
    /// Where the one is that was there before.
    pub before: Option<PathBuf>,
}

/// What was put back.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    /// The files.
    pub files: Vec<Placed>,
    /// The schema of the database in the backup; it has the present one now.
    pub schema: Option<u32>,
}

/// Puts a backup back to where it came from, or below `root`.
///
/// # Errors
/// When the backup is not sound or of a newer program, a daemon runs on these files, or one cannot be written. Until
/// every file is staged, nothing is changed.
pub fn restore(archive: &Path, root: Option<&Path>) -> Result<Restored, BackupError> {
    let manifest = read::manifest(archive)?;
    let target = |path: &Path| match root {
        None => path.to_owned(),
        Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
    };
    refuse_running(&manifest, &target)?;
    let mut staged = Staged::default();
    let manifest = read::read(archive, |item, content| {
        staged.add(&target(&item.origin), item, content)
    })?;
    let schema = staged.prepare_database(archive, &manifest)?;
    let stamp = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%3fZ").to_string();
    let mut files = Vec::new();
    for (kind, path) in std::mem::take(&mut staged.files) {
        files.push(place(kind, path, &stamp)?);
    }
    Ok(Restored { files, schema })
}

fn refuse_running(manifest: &Manifest, target: &impl Fn(&Path) -> PathBuf) -> Result<(), BackupError> {
    let socket = target(&manifest.socket);
    if UnixStream::connect(&socket).is_ok() {
        return Err(BackupError::Running(socket));
    }
    for item in manifest.items.iter().filter(|item| item.kind == Kind::Database) {
        let database = target(&item.origin);
        // A damaged one is no reason not to restore a sound one.
        if store::is_in_use(&database).unwrap_or(false) {
            return Err(BackupError::Running(database));
        }
    }
    Ok(())
}

/// Files beside their places; removed again unless they are placed.
#[derive(Default)]
struct Staged {
    files: Vec<(Kind, PathBuf)>,
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

impl Staged {
    fn add(&mut self, path: &Path, item: &Item, content: &mut dyn io::Read) -> Result<(), BackupError> {
        let staged = with(path, STAGED);
        let failed = |error| BackupError::file("write", &staged)(error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        // Left by one that was killed.
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        self.files.push((item.kind, path.to_owned()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&staged)
            .map_err(failed)?;
        io::copy(content, &mut file).map_err(failed)?;
        // Only root can give files away; for others they stay their own.
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::fchown(&file, Some(item.uid), Some(item.gid)).map_err(failed)?;
        }
        file.set_permissions(Permissions::from_mode(item.mode))
            .map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    /// Checks the staged database and brings it to the present schema; gives the schema it had.
    fn prepare_database(&self, archive: &Path, manifest: &Manifest) -> Result<Option<u32>, BackupError> {
        let Some((_, path)) = self.files.iter().find(|(kind, _)| *kind == Kind::Database) else {
            return Ok(None);
        };
        let staged = with(path, STAGED);
        let schema = read::sound(archive, manifest, &staged)?;
        drop(Store::open(&staged)?);
        store::settle(&staged)?;
        let synchronised = File::open(&staged).and_then(|file| file.sync_all());
        synchronised.map_err(BackupError::file("synchronise", &staged))?;
        Ok(Some(schema))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        for (_, path) in &self.files {
            for ending in ["", "-wal", "-shm"] {
                // Not there, mostly.
                let _ = fs::remove_file(with(&with(path, STAGED), ending));
            }
        }
    }
}

/// Gives the old file a second name, and puts the new one in its place.
fn place(kind: Kind, path: PathBuf, stamp: &str) -> Result<Placed, BackupError> {
    let before = with(&path, &format!(".before-{stamp}"));
    let is_there = path.symlink_metadata().is_ok();
    if kind == Kind::Database && is_there {
        put_log_aside(&path, &before)?;
    }
    if is_there {
        fs::hard_link(&path, &before).map_err(BackupError::file("keep aside", &path))?;
    }
    let staged = with(&path, STAGED);
    let placed = fs::rename(&staged, &path).and_then(|()| match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    });
    placed.map_err(BackupError::file("put into its place", &path))?;
    Ok(Placed {
        kind,
        path,
        before: is_there.then_some(before),
    })
}

/// The write-ahead log of the old database must not be taken for one of the new. A sound database takes it in; a damaged
/// one gets it under its new name.
fn put_log_aside(path: &Path, before: &Path) -> Result<(), BackupError> {
    // Whether that worked shows in what is left.
    let _ = store::settle(path);
    for ending in ["-wal", "-shm"] {
        match fs::rename(with(path, ending), with(before, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::file("keep aside", with(path, ending))(error));
            }
            _ => {}
        }
    }
    Ok(())
}
