//! The archive: a tar file, compressed by zstd, readable by its owner only.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::DiagError;

/// The files of an archive, by name.
pub type Members = BTreeMap<String, Vec<u8>>;

/// How names of archives begin and end.
const PREFIX: &str = "trim-diag-";
const SUFFIX: &str = ".tar.zst";
/// An archive that unpacks to more is not read.
const MOST_BYTES: u64 = 2 << 30;

/// An archive on the disk.
#[derive(Debug)]
pub struct Archive {
    /// Where it is.
    pub path: PathBuf,
}

impl Archive {
    /// Writes an archive into a folder, which is made when it is missing; `label` becomes part of its name.
    ///
    /// # Errors
    /// When it cannot be written. Nothing is left behind then.
    pub fn write(folder: &Path, label: &str, manifest: &[u8], members: &Members) -> Result<Self, DiagError> {
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        let path = folder.join(format!("{PREFIX}{label}{SUFFIX}"));
        let part = path.with_extension("part");
        let written = write(&part, manifest, members).and_then(|()| fs::rename(&part, &path));
        written.map_err(|error| {
            // It may not have come so far that there is one.
            let _ = fs::remove_file(&part);
            failed(&path, error)
        })?;
        Ok(Self { path })
    }

    /// The newest archive of a folder.
    ///
    /// # Errors
    /// When the folder cannot be read, or has none.
    pub fn newest(folder: &Path) -> Result<Self, DiagError> {
        let unreadable = |error| DiagError::Read {
            path: folder.into(),
            error,
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
                let written = entry.metadata().and_then(|it| it.modified()).map_err(unreadable)?;
                found.push((written, entry.path()));
            }
        }
        let newest = found.into_iter().max();
        newest
            .map(|(_, path)| Self { path })
            .ok_or_else(|| DiagError::None(folder.into()))
    }

    /// Reads it. Nothing is unpacked to the disk.
    ///
    /// # Errors
    /// When it cannot be read, or is something else.
    pub fn read(&self) -> Result<Members, DiagError> {
        let file = File::open(&self.path).map_err(|error| DiagError::Read {
            path: self.path.clone(),
            error,
        })?;
        read(file).map_err(|error| DiagError::Foreign {
            path: self.path.clone(),
            reason: error.to_string(),
        })
    }
}

fn failed(path: &Path, error: io::Error) -> DiagError {
    DiagError::Write {
        path: path.into(),
        error,
    }
}

fn write(path: &Path, manifest: &[u8], members: &Members) -> io::Result<()> {
    let _ = fs::remove_file(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut tar = tar::Builder::new(zstd::stream::write::Encoder::new(file, 3)?);
    append(&mut tar, "manifest.json", manifest)?;
    for (name, bytes) in members {
        append(&mut tar, name, bytes)?;
    }
    let file = tar.into_inner()?.finish()?;
    file.sync_all()
}

fn append<W: io::Write>(tar: &mut tar::Builder<W>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, name, bytes)
}

fn read(file: File) -> io::Result<Members> {
    let decoder = zstd::stream::read::Decoder::new(file)?;
    let mut tar = tar::Archive::new(decoder.take(MOST_BYTES));
    let mut members = Members::new();
    for entry in tar.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        members.insert(name, bytes);
    }
    Ok(members)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let members = Members::from([("a.json".to_owned(), b"{}".to_vec())]);
        let archive = Archive::write(folder.path(), "x", b"{\"format\":1}", &members).unwrap();
        assert_eq!(fs::metadata(&archive.path).unwrap().permissions().mode() & 0o777, 0o600);
        let newest = Archive::newest(folder.path()).unwrap();
        let read = newest.read().unwrap();
        assert_eq!(read["a.json"], b"{}");
        assert!(read.contains_key("manifest.json"));
    }

    #[test]
    fn garbage_is_said_to_be_garbage() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Archive::newest(folder.path()), Err(DiagError::None(_))));
        let path = folder.path().join("trim-diag-x.tar.zst");
        fs::write(&path, "garbage").unwrap();
        assert!(matches!(Archive { path }.read(), Err(DiagError::Foreign { .. })));
    }
}
