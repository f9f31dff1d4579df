//! The file that is being written, and the way from one to the next.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::super::chunk::ChunkFile;
use super::super::compress::Compressor;
use super::super::error::SinkError;
use super::super::pending::Pending;
use super::RotationOptions;
use super::finisher::{FinishOptions, Finisher, Report};
use super::names::{FileName, Names};
use super::recover::recover;
use super::volume::Volume;

/// Opens files one after the other; at most one is open.
pub(super) struct Files {
    names: Names,
    volume: Box<dyn Volume>,
    finisher: Finisher,
    current: Option<Current>,
    next_sequence: u64,
    /// Bytes of the files before the current one.
    bytes_before: u64,
}

struct Current {
    file: ChunkFile,
    name: FileName,
    part: PathBuf,
    /// Packets in the file.
    records: u64,
    opened: Instant,
}

impl Files {
    pub(super) fn new(options: &RotationOptions, volume: Box<dyn Volume>) -> io::Result<Self> {
        let names = Names::new(&options.directory, &options.prefix, options.format);
        let finish = FinishOptions {
            sync: options.sync,
            quota: options.quota,
        };
        Ok(Self {
            finisher: Finisher::start(names.clone(), finish)?,
            names,
            volume,
            current: None,
            next_sequence: 1,
            bytes_before: 0,
        })
    }

    /// Renames what dead processes left in the folder.
    pub(super) fn recover(&self) -> io::Result<Vec<PathBuf>> {
        recover(&self.names)
    }

    /// Opens a new file, whose name is neither taken now nor will be taken by a file of the past.
    pub(super) fn open(&mut self) -> io::Result<()> {
        let mut name = self.names.name(SystemTime::now(), self.next_sequence);
        let (part, medium) = loop {
            let part = self.names.path(&name.as_part());
            if self.names.path(&name).exists() {
                name = name.next();
                continue;
            }
            match self.volume.create(&part) {
                Ok(medium) => break (part, medium),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => name = name.next(),
                Err(error) => return Err(error),
            }
        };
        self.next_sequence = name.sequence() + 1;
        let file = ChunkFile::new(medium);
        self.current = Some(Current {
            file,
            name,
            part,
            records: 0,
            opened: Instant::now(),
        });
        Ok(())
    }

    /// Appends all that is pending, opening a file for it when none is open.
    pub(super) fn append(&mut self, pending: &mut Pending, compressor: &mut Compressor) -> Result<(), SinkError> {
        if self.current.is_none() {
            if pending.blocks().is_empty() {
                return Ok(());
            }
            self.open().map_err(|source| SinkError::Create {
                path: self.names.directory.clone(),
                source,
            })?;
        }
        let Some(current) = &mut self.current else {
            return Err(SinkError::Closed);
        };
        let result = append_blocks(&mut current.file, pending, compressor);
        result.map_err(|source| SinkError::Write {
            path: current.part.clone(),
            source,
        })?;
        current.records += pending.records();
        Ok(())
    }

    /// Closes the current file: it will be finished, or removed when it holds no packets.
    pub(super) fn close(&mut self) {
        self.close_with(|current| current.records > 0);
    }

    fn close_with(&mut self, keep: impl FnOnce(&Current) -> bool) {
        let Some(current) = self.current.take() else { return };
        if keep(&current) {
            self.bytes_before += current.file.length();
            self.finisher.finish(current.file, current.name);
        } else if let Err(error) = std::fs::remove_file(&current.part) {
            tracing::warn!(file = %current.part.display(), %error, "cannot remove a file without packets");
        }
    }

    /// Closes the last file, which is kept without packets too, and waits until all files have their names.
    pub(super) fn finish(&mut self) -> Report {
        self.close_with(|current| current.file.length() > 0);
        self.finisher.close();
        self.report()
    }

    pub(super) fn is_open(&self) -> bool {
        self.current.is_some()
    }

    /// Packets in the current file.
    #[inline]
    pub(super) fn records(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.records)
    }

    /// Size of the current file, bytes.
    #[inline]
    pub(super) fn length(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.file.length())
    }

    /// How long the current file has been open.
    pub(super) fn age(&self) -> Duration {
        self.current
            .as_ref()
            .map_or(Duration::ZERO, |current| current.opened.elapsed())
    }

    pub(super) fn current_path(&self) -> Option<&Path> {
        self.current.as_ref().map(|current| current.part.as_path())
    }

    pub(super) fn report(&self) -> Report {
        self.finisher.report()
    }

    /// Bytes in all files.
    pub(super) fn total_bytes(&self) -> u64 {
        self.bytes_before + self.length()
    }
}

/// Appends the start of the file, if that is missing, and the pending blocks.
fn append_blocks(file: &mut ChunkFile, pending: &mut Pending, compressor: &mut Compressor) -> io::Result<()> {
    if file.length() == 0 {
        file.append(&pending.start_of_file(), compressor)?;
    }
    file.append(pending.blocks(), compressor)
}
