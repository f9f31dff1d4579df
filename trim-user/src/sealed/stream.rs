//! Long files, which are encrypted and opened as they pass.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::path::Path;

use age::stream::StreamWriter;

use super::{Key, Lock, SealedError, decrypted, encryptor, is_sealed};

/// A file that is being written, encrypted or plain.
pub enum Sealing {
    /// As it comes.
    Plain(File),
    /// In binary: armor would make it a third longer.
    Sealed(StreamWriter<File>),
}

impl Sealing {
    /// Writes to `file`, encrypted where there is a lock.
    ///
    /// # Errors
    /// When a recipient is not understood, or nothing can be written.
    pub fn new(file: File, lock: Option<&Lock>) -> Result<Self, SealedError> {
        let Some(lock) = lock else {
            return Ok(Self::Plain(file));
        };
        let writer = encryptor(lock)?.wrap_output(file);
        writer
            .map(Self::Sealed)
            .map_err(|error| SealedError::Encrypt(error.to_string()))
    }

    /// Writes the end, without which the file cannot be opened, and gives the file back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(self) -> io::Result<File> {
        match self {
            Self::Plain(file) => Ok(file),
            Self::Sealed(writer) => writer.finish(),
        }
    }
}

impl Write for Sealing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Sealed(writer) => writer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Sealed(writer) => writer.flush(),
        }
    }
}

/// The content of a file that may be encrypted. Damage in it shows while it is read.
pub struct Opened {
    /// Whether the file is encrypted.
    pub is_sealed: bool,
    /// What is in it.
    pub content: Box<dyn Read>,
}

/// Opens a file that may be encrypted for the identity of the process.
///
/// # Errors
/// When it cannot be read, or is encrypted and there is no identity, or none that fits.
pub fn open(path: &Path) -> Result<Opened, SealedError> {
    let unreadable = SealedError::unreadable(path);
    let looked_at = || {
        let mut file = BufReader::new(File::open(path)?);
        let is_sealed = is_sealed(file.fill_buf()?);
        Ok((file, is_sealed))
    };
    let (file, is_sealed) = looked_at().map_err(unreadable)?;
    let content: Box<dyn Read> = match is_sealed {
        true => Box::new(decrypted(file, path, &Key::Identity)?),
        false => Box::new(file),
    };
    Ok(Opened { is_sealed, content })
}
