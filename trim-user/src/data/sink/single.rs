//! One output file, or standard output.

use std::path::{Path, PathBuf};

use super::chunk::ChunkFile;
use super::compress::{Compressor, OutputFormat};
use super::pending::Pending;
use super::target::Target;
use super::{Counters, Sink, SinkError, Summary};
use crate::data::{Interface, InterfaceStatistics, Record};

/// Permissions of a new file, before the umask.
const USUAL_MODE: u32 = 0o666;

/// Writes one file that appears under its name when it is complete ([`Sink::finish`]) and not otherwise.
pub struct FileSink {
    output: Option<Output>,
    pending: Pending,
    compressor: Compressor,
    counters: Counters,
}

struct Output {
    target: Target,
    file: ChunkFile,
}

impl FileSink {
    /// Opens `path`, `-` being standard output. An existing file is replaced in the end, unless it is (by device and
    /// inode) one of `inputs`. Devices and pipes are written as they are.
    ///
    /// # Errors
    /// [`SinkError::Create`], [`SinkError::OutputIsInput`] or [`SinkError::Compressor`].
    pub fn create(path: &Path, inputs: &[PathBuf], format: OutputFormat) -> Result<Self, SinkError> {
        Self::create_with_mode(path, inputs, format, USUAL_MODE)
    }

    /// Likewise; a new file gets these permissions, less the umask.
    ///
    /// # Errors
    /// As [`FileSink::create`].
    pub fn create_with_mode(
        path: &Path,
        inputs: &[PathBuf],
        format: OutputFormat,
        mode: u32,
    ) -> Result<Self, SinkError> {
        let compressor = Compressor::new(format.compression)?;
        let (target, file) = Target::open(path, inputs, mode)?;
        Ok(Self {
            output: Some(Output { target, file }),
            pending: Pending::new(format.format, format.chunk_size()),
            compressor,
            counters: Counters::default(),
        })
    }

    /// Writes the pending blocks. After an error the output is given up.
    fn write(&mut self) -> Result<(), SinkError> {
        let output = self.output.as_mut().ok_or(SinkError::Closed)?;
        let result = write_pending(&mut output.file, &mut self.pending, &mut self.compressor);
        self.counters.file_bytes = output.file.length();
        match result {
            Ok(()) => {
                self.counters.stored += self.pending.records();
                self.counters.stored_bytes += self.pending.captured();
                self.pending.written();
                Ok(())
            }
            Err(source) => {
                self.counters.failed = self.counters.offered;
                self.counters.stored = 0;
                self.counters.stored_bytes = 0;
                self.counters.failures = 1;
                self.counters.failing = true;
                self.pending.lost();
                let path = output.target.path.clone();
                self.output = None;
                Err(SinkError::Write { path, source })
            }
        }
    }
}

fn write_pending(file: &mut ChunkFile, pending: &mut Pending, compressor: &mut Compressor) -> std::io::Result<()> {
    if file.length() == 0 {
        file.append(&pending.start_of_file(), compressor)?;
    }
    file.append(pending.blocks(), compressor)
}

impl Sink for FileSink {
    fn interface(&mut self, interface: &Interface) -> Result<u32, SinkError> {
        self.pending.interface(interface)
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        if self.output.is_none() {
            return Err(SinkError::Closed);
        }
        self.counters.offered += 1;
        if let Err(error) = self.pending.record(record) {
            self.counters.failed += 1;
            return Err(error);
        }
        if self.pending.is_due() {
            self.write()?;
        }
        Ok(())
    }

    fn statistics(&mut self, interface: u32, statistics: &InterfaceStatistics) {
        self.pending.statistics(interface, statistics);
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.write()
    }

    fn rotate(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Summary, SinkError> {
        if self.output.is_none() {
            return Err(SinkError::Closed);
        }
        self.pending.end_of_file();
        self.write()?;
        let Output { target, mut file } = self.output.take().ok_or(SinkError::Closed)?;
        let finished = file.finish(&self.compressor);
        finished.map_err(|source| SinkError::Write {
            path: target.path.clone(),
            source,
        })?;
        let last_file = target.file();
        target.complete()?;
        self.counters.files += 1;
        Ok(Summary {
            counters: self.counters,
            last_file,
        })
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
