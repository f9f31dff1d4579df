//! Making a backup.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek as _, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::error::BackupError;
use super::folder::{Claimed, Form, unfinished};
use super::manifest::{FORMAT, Item, Kind, Manifest, NAME};
use super::sources::Sources;
use crate::control::store;
use crate::sealed::{Lock, Sealing};

/// Level of zstd: backups are small, and read more often than written.
const LEVEL: i32 = 9;

/// A backup that was made.
#[derive(Clone, Debug)]
pub struct Created {
    /// The archive.
    pub path: PathBuf,
    /// What is in it.
    pub manifest: Manifest,
}

/// How a backup is made.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The folder that it goes to.
    pub folder: &'a Path,
    /// Whether the files of secrets are in it.
    pub with_secrets: bool,
    /// Who alone can open it; `None` leaves it plain.
    pub lock: Option<&'a Lock>,
    /// The name of this machine.
    pub host: &'a str,
}

/// A file to go into the archive, open so that it stays what was hashed.
struct Part {
    item: Item,
    content: File,
}

/// Makes a backup. The archive has its name only once it is whole and on the disk; only its owner may read it.
///
/// # Errors
/// When a source cannot be read, the database is damaged, or the archive cannot be written; there is no new archive then.
pub fn create(sources: &Sources, wanted: &Wanted<'_>) -> Result<Created, BackupError> {
    let &Wanted {
        folder,
        with_secrets,
        lock,
        host,
    } = wanted;
    let claimed = Claimed::claim(folder)?;
    let now = jiff::Timestamp::now();
    let path = claimed.place(&now, if lock.is_some() { Form::Sealed } else { Form::Plain });
    let part = unfinished(&path);
    // Where only what is encrypted is to lie, nothing plain does, not even for a moment.
    let temporary = std::env::temp_dir();
    let beside = if lock.is_some() { &temporary } else { &claimed.path };
    let (snapshot, schema) = snapshot(&sources.database, beside)?;
    let mut parts = plain(sources, with_secrets)?;
    if let Some(snapshot) = &snapshot {
        let mut database = open(Kind::Database, snapshot.path(), parts.len())?;
        owned_as(&mut database.item, &sources.database)?;
        parts.push(database);
    }
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        host: host.to_owned(),
        schema,
        socket: sources.socket.clone(),
        has_secrets: with_secrets && !sources.secrets.is_empty(),
        left_out: if with_secrets {
            Vec::new()
        } else {
            sources.secrets.clone()
        },
        items: parts.iter().map(|part| part.item.clone()).collect(),
    };
    let sealing = begin(&part, lock)?;
    let written = write(sealing, &manifest, parts).and_then(|()| fs::rename(&part, &path));
    if let Err(error) = written {
        // A full disk gets back what was written of it.
        let _ = fs::remove_file(&part);
        return Err(BackupError::file("write", path)(error));
    }
    let synchronised = File::open(&claimed.path).and_then(|folder| folder.sync_all());
    synchronised.map_err(BackupError::file("synchronise", &claimed.path))?;
    Ok(Created { path, manifest })
}

/// The files that are taken as they are.
fn plain(sources: &Sources, with_secrets: bool) -> Result<Vec<Part>, BackupError> {
    let mut parts = Vec::new();
    for (kind, file) in sources.plain(with_secrets) {
        match open(kind, file, parts.len()) {
            // Nothing has been kept yet.
            Err(BackupError::File { error, .. }) if kind == Kind::Alerts && error.kind() == io::ErrorKind::NotFound => {
            }
            part => parts.push(part?),
        }
    }
    Ok(parts)
}

/// The database as it is now, in a file that goes with the value, and its schema; nothing when there is none yet.
fn snapshot(database: &Path, folder: &Path) -> Result<(Option<tempfile::NamedTempFile>, Option<u32>), BackupError> {
    if !database.exists() {
        return Ok((None, None));
    }
    let copy = tempfile::Builder::new()
        .prefix("trim-backup-")
        .suffix(".part")
        .tempfile_in(folder)
        .map_err(BackupError::file("make a copy of the database in", folder))?;
    store::copy(database, copy.path())?;
    let found = store::examine(copy.path())?;
    if !found.complaints.is_empty() {
        return Err(BackupError::Damaged {
            path: database.to_owned(),
            complaints: found.complaints,
        });
    }
    Ok((Some(copy), Some(found.schema)))
}

fn open(kind: Kind, file: &Path, number: usize) -> Result<Part, BackupError> {
    let failed = |error| BackupError::file("read", file)(error);
    let mut content = File::open(file).map_err(failed)?;
    let metadata = content.metadata().map_err(failed)?;
    let (bytes, sha256) = hashed(&mut content).map_err(failed)?;
    let stem = file.file_name().unwrap_or_default().to_string_lossy();
    let item = Item {
        name: format!("{number:02}-{stem}"),
        kind,
        origin: file.to_owned(),
        mode: metadata.mode() & 0o777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        bytes,
        sha256,
    };
    Ok(Part { item, content })
}

/// The copy of the database goes back to where the database is.
fn owned_as(item: &mut Item, database: &Path) -> Result<(), BackupError> {
    let metadata = fs::metadata(database).map_err(BackupError::file("read", database))?;
    item.origin = database.to_owned();
    item.mode = metadata.mode() & 0o777;
    (item.uid, item.gid) = (metadata.uid(), metadata.gid());
    Ok(())
}

/// Length and hash of a file, which is read from its start and left there.
fn hashed(file: &mut File) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let bytes = io::copy(file, &mut hash)?;
    file.rewind()?;
    Ok((bytes, hex(&hash.finalize())))
}

/// In hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Begins the archive, which is removed again when that fails.
fn begin(path: &Path, lock: Option<&Lock>) -> Result<Sealing, BackupError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let sealing = Sealing::new(file.map_err(BackupError::file("write", path))?, lock);
    sealing.map_err(|error| {
        let _ = fs::remove_file(path);
        error.into()
    })
}

fn write(sealing: Sealing, manifest: &Manifest, parts: Vec<Part>) -> io::Result<()> {
    let mut encoder = zstd::stream::Encoder::new(sealing, LEVEL)?;
    // Damage is found while the archive is unpacked, before anything is hashed.
    encoder.include_checksum(true)?;
    let mut archive = tar::Builder::new(encoder);
    let text = serde_json::to_vec_pretty(manifest)?;
    append(&mut archive, NAME, 0o600, text.len() as u64, text.as_slice())?;
    for part in parts {
        let Item { name, mode, bytes, .. } = part.item;
        // What has grown meanwhile is cut to what was hashed; what has shrunk fails here or when it is verified.
        append(&mut archive, &name, mode, bytes, part.content.take(bytes))?;
    }
    let mut file = archive.into_inner()?.finish()?.finish()?;
    file.flush()?;
    file.sync_all()
}

fn append(
    archive: &mut tar::Builder<impl Write>,
    name: &str,
    mode: u32,
    bytes: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(mode);
    archive.append_data(&mut header, name, content)
}
