//! Reading a backup, and telling whether it is whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::create::hex;
use super::error::BackupError;
use super::manifest::{FORMAT, Item, Kind, MOST_BYTES, Manifest, NAME};
use crate::control::store::{self, StoreError};
use crate::sealed;

type Archive = tar::Archive<zstd::stream::Decoder<'static, io::BufReader<Box<dyn Read>>>>;

/// What a sound backup is.
#[derive(Clone, Debug)]
pub struct Verified {
    /// What it says of itself.
    pub manifest: Manifest,
    /// The schema of the database in it, as the database itself says.
    pub schema: Option<u32>,
}

fn open(path: &Path) -> Result<Archive, BackupError> {
    let opened = sealed::open(path)?;
    let decoder = zstd::stream::Decoder::new(opened.content).map_err(BackupError::file("read", path))?;
    Ok(tar::Archive::new(decoder))
}

fn unsound(path: &Path, what: impl ToString) -> BackupError {
    BackupError::Unsound {
        path: path.to_owned(),
        what: what.to_string(),
    }
}

/// The manifest alone.
pub(super) fn manifest(path: &Path) -> Result<Manifest, BackupError> {
    let mut archive = open(path)?;
    let bad = |error: io::Error| unsound(path, error);
    let mut first = archive.entries().map_err(bad)?;
    let first = first.next().ok_or_else(|| unsound(path, "it is empty"))?;
    parse(path, first.map_err(bad)?)
}

fn parse(path: &Path, mut entry: tar::Entry<'_, impl Read>) -> Result<Manifest, BackupError> {
    let bad = |error: io::Error| unsound(path, error);
    if entry.path_bytes().as_ref() != NAME.as_bytes() || entry.size() > MOST_BYTES {
        return Err(unsound(path, "it does not begin with a manifest"));
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).map_err(bad)?;
    let value: serde_json::Value = serde_json::from_slice(&text).map_err(|error| unsound(path, error))?;
    // Before the rest is understood: a newer format may say it otherwise.
    let format = value["format"].as_u64().unwrap_or(0);
    if format > u64::from(FORMAT) {
        return Err(BackupError::Newer {
            path: path.to_owned(),
            version: value["version"].as_str().unwrap_or("?").to_owned(),
            found: format.to_string(),
            known: FORMAT.to_string(),
        });
    }
    let manifest: Manifest = serde_json::from_value(value).map_err(|error| unsound(path, error))?;
    match manifest.items.iter().find(|item| !item.is_plain()) {
        Some(item) => Err(unsound(
            path,
            format!("{} is no place for a file", item.origin.display()),
        )),
        None => Ok(manifest),
    }
}

/// Reads a whole backup; each file is given to `take` and has to have the length and the hash of the manifest.
pub(super) fn read(
    path: &Path,
    mut take: impl FnMut(&Item, &mut dyn Read) -> Result<(), BackupError>,
) -> Result<Manifest, BackupError> {
    let bad = |error: io::Error| unsound(path, error);
    let mut archive = open(path)?;
    let mut entries = archive.entries().map_err(bad)?;
    let first = entries.next().ok_or_else(|| unsound(path, "it is empty"))?;
    let manifest = parse(path, first.map_err(bad)?)?;
    for item in &manifest.items {
        let entry = entries
            .next()
            .ok_or_else(|| unsound(path, format!("{} is missing", item.name)))?;
        let entry = entry.map_err(bad)?;
        if entry.path_bytes().as_ref() != item.name.as_bytes() || entry.size() != item.bytes {
            return Err(unsound(path, format!("{} is not where it should be", item.name)));
        }
        let mut content = Hashing::new(entry);
        take(item, &mut content)?;
        io::copy(&mut content, &mut io::sink()).map_err(bad)?;
        if content.end() != item.sha256 {
            return Err(unsound(path, format!("{} has been changed", item.name)));
        }
    }
    if entries.next().is_some() {
        return Err(unsound(path, "there is more in it than its manifest says"));
    }
    // To the end of the frame, where its checksum stands.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(bad)?;
    Ok(manifest)
}

/// Whether a backup is whole: every hash is right, and the database opens and is sound.
///
/// # Errors
/// When it is not, or cannot be read.
pub fn verify(path: &Path) -> Result<Verified, BackupError> {
    let folder = tempfile::tempdir().map_err(BackupError::file("make a folder in", std::env::temp_dir()))?;
    let copy = folder.path().join("database");
    let manifest = read(path, |item, content| {
        if item.kind == Kind::Database {
            let written = File::create(&copy).and_then(|mut file| io::copy(content, &mut file));
            written.map_err(BackupError::file("write", &copy))?;
        }
        Ok(())
    })?;
    let schema = match manifest.schema {
        None => None,
        Some(_) => Some(sound(path, &manifest, &copy)?),
    };
    Ok(Verified { manifest, schema })
}

/// The schema of a database out of the archive, which has to be sound.
pub(super) fn sound(archive: &Path, manifest: &Manifest, database: &Path) -> Result<u32, BackupError> {
    match store::examine(database) {
        Ok(found) if found.complaints.is_empty() => Ok(found.schema),
        Ok(found) => Err(unsound(
            archive,
            format!("its database is damaged: {}", found.complaints.join("; ")),
        )),
        Err(StoreError::Newer { found, .. }) => Err(BackupError::Newer {
            path: archive.to_owned(),
            version: manifest.version.clone(),
            found: format!("with a database of schema {found}"),
            known: format!("schema {}", store::VERSION),
        }),
        Err(error) => Err(unsound(archive, error)),
    }
}

/// Hashes what passes through.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
        }
    }

    fn end(self) -> String {
        hex(&self.hash.finalize())
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}
