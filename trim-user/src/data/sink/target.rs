//! The output of a conversion: complete under its name or absent, and never an input.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::chunk::{ChunkFile, Stream};
use super::error::SinkError;

/// Where a single output goes.
pub(super) struct Target {
    /// As the user gave it.
    pub(super) path: PathBuf,
    /// A temporary file beside the output and the output's real path; `None` when writing goes straight there.
    replace: Option<(PathBuf, PathBuf)>,
}

impl Target {
    /// Opens `path` for writing; `-` is standard output. Devices, pipes and sockets are written directly; anything
    /// else is made as a temporary file beside it, which takes its name (and replaces what is there) when complete. `mode`
    /// are the permissions of a new file, before the umask.
    pub(super) fn open(path: &Path, inputs: &[PathBuf], mode: u32) -> Result<(Self, ChunkFile), SinkError> {
        let create = |source| SinkError::Create {
            path: path.to_owned(),
            source,
        };
        if path.as_os_str() == "-" {
            // Without the line buffer of `std::io::Stdout`, each chunk is one write.
            let output = io::stdout().as_fd().try_clone_to_owned().map_err(create)?;
            return Ok((Self::stream("standard output".into()), stream(output.into())));
        }
        let (temporary, real, file) = match fs::metadata(path) {
            Ok(existing) if existing.is_dir() => {
                return Err(create(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")));
            }
            Ok(existing) if inputs.iter().any(|input| is_same_file(&existing, input)) => {
                return Err(SinkError::OutputIsInput { path: path.to_owned() });
            }
            Ok(existing) if !existing.is_file() => {
                let output = OpenOptions::new().write(true).open(path).map_err(create)?;
                return Ok((Self::stream(path.to_owned()), stream(output)));
            }
            // The real path keeps a symbolic link to an older output as it is.
            Ok(_) => beside(fs::canonicalize(path).map_err(create)?, mode).map_err(create)?,
            Err(_) => beside(path.to_owned(), mode).map_err(create)?,
        };
        let target = Self {
            path: path.to_owned(),
            replace: Some((temporary, real)),
        };
        Ok((target, ChunkFile::new(Box::new(file))))
    }

    fn stream(path: PathBuf) -> Self {
        Self { path, replace: None }
    }

    /// Gives the complete file its name.
    pub(super) fn complete(mut self) -> Result<(), SinkError> {
        if let Some((from, to)) = self.replace.take() {
            fs::rename(&from, &to).map_err(|source| {
                fs::remove_file(&from).ok();
                SinkError::Rename { from, path: to, source }
            })?;
        }
        Ok(())
    }

    /// The final path, where there is one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.replace.as_ref().map(|_| self.path.clone())
    }
}

impl Drop for Target {
    /// An output that was not completed leaves nothing behind.
    fn drop(&mut self) {
        if let Some((temporary, _)) = &self.replace {
            fs::remove_file(temporary).ok();
        }
    }
}

fn stream(file: File) -> ChunkFile {
    ChunkFile::new(Box::new(Stream(file)))
}

/// Makes a temporary file in the folder of `path`; returns its path, `path` and the file.
fn beside(path: PathBuf, mode: u32) -> io::Result<(PathBuf, PathBuf, File)> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it has no file name"))?;
    for attempt in 0..1000 {
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}-{attempt}.part", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(mode).open(&temporary) {
            Ok(file) => return Ok((temporary, path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        "a thousand unfinished outputs of that name are there",
    ))
}

fn is_same_file(existing: &fs::Metadata, input: &Path) -> bool {
    let input = if input.as_os_str() == "-" {
        Path::new("/dev/stdin")
    } else {
        input
    };
    fs::metadata(input).is_ok_and(|input| (input.dev(), input.ino()) == (existing.dev(), existing.ino()))
}
