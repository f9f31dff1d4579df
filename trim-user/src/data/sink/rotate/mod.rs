//! Many files in a row, for captures that go on: a new one by size, age, number of packets or on demand.
//!
//! A file is written under a name that ends in `.part` and gets its final name when it is complete. What cannot be
//! written is counted and the capture goes on: the file so far is finished at its last whole block, what is buffered
//! waits, and every [`Sink::flush`] tries again with a new file.

mod files;
mod finisher;
mod names;
mod quota;
mod recover;
#[cfg(test)]
mod tests;
mod volume;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::compress::{Compressor, OutputFormat};
use super::pending::Pending;
use super::{Counters, Sink, SinkError, Summary};
use crate::data::{Compression, Interface, InterfaceStatistics, Record};
use files::Files;
use volume::{Disk, Volume};

/// What to write, where, and when to begin a new file.
#[derive(Clone, Debug)]
pub struct RotationOptions {
    /// Folder of the files; made when it does not exist.
    pub directory: PathBuf,
    /// First part of the file names, without `/`.
    pub prefix: String,
    /// Format and compression.
    pub format: OutputFormat,
    /// Size at which a file is finished, bytes. A file is never larger, but for a single packet and for compressed
    /// output, where it can be larger by one chunk (1 MiB before compression).
    pub max_bytes: Option<u64>,
    /// Age at which a file with packets is finished, to the precision of the calls of [`Sink::flush`].
    pub max_age: Option<Duration>,
    /// Packets with which a file is finished.
    pub max_packets: Option<u64>,
    /// Most bytes of finished files of this prefix in the folder; the oldest are deleted, the newest always stays.
    pub quota: Option<u64>,
    /// Whether a file is forced to the disk before it gets its final name.
    pub sync: bool,
}

/// Writes one file after the other; see [`RotationOptions`].
pub struct RotatingSink {
    options: RotationOptions,
    files: Files,
    pending: Pending,
    compressor: Compressor,
    counters: Counters,
    recovered: Vec<PathBuf>,
    /// Value of `counters.failed` when writing began to fail.
    failed_before: u64,
    closed: bool,
}

impl RotatingSink {
    /// Takes care of unfinished files that dead processes left in the folder, and opens the first file.
    ///
    /// # Errors
    /// [`SinkError::Create`] when the folder or the file cannot be made, [`SinkError::Compressor`].
    pub fn create(options: RotationOptions) -> Result<Self, SinkError> {
        Self::on_volume(options, Box::new(Disk))
    }

    fn on_volume(options: RotationOptions, volume: Box<dyn Volume>) -> Result<Self, SinkError> {
        let create = |source| SinkError::Create {
            path: options.directory.clone(),
            source,
        };
        std::fs::create_dir_all(&options.directory).map_err(create)?;
        let compressor = Compressor::new(options.format.compression)?;
        let mut files = Files::new(&options, volume).map_err(create)?;
        let recovered = files.recover().map_err(create)?;
        files.open().map_err(create)?;
        Ok(Self {
            files,
            pending: Pending::new(options.format.format, options.format.chunk_size()),
            compressor,
            counters: Counters::default(),
            recovered,
            failed_before: 0,
            closed: false,
            options,
        })
    }

    /// Unfinished files of dead processes that were found at the start, under their new names.
    pub fn recovered(&self) -> &[PathBuf] {
        &self.recovered
    }

    /// The file that is being written.
    pub fn current_file(&self) -> Option<&Path> {
        self.files.current_path()
    }

    /// Whether a file that holds packets is full before `record` is added.
    #[inline]
    fn is_file_full(&self, record: &Record<'_>) -> bool {
        let packets = self.files.records() + self.pending.records();
        if packets == 0 {
            return false;
        }
        let by_packets = self.options.max_packets.is_some_and(|most| packets >= most);
        by_packets || self.options.max_bytes.is_some_and(|most| self.size_with(record) > most)
    }

    /// Size that the file would have with `record` and its end, bytes; compressed, what is pending does not count.
    #[inline]
    fn size_with(&self, record: &Record<'_>) -> u64 {
        match self.options.format.compression {
            Compression::None => self.pending.size_with(self.files.length(), record),
            Compression::Gzip | Compression::Zstd => self.files.length(),
        }
    }

    /// Writes what is pending. On failure it stays pending and the file is closed.
    fn write(&mut self) {
        match self.files.append(&mut self.pending, &mut self.compressor) {
            Ok(()) => {
                self.counters.stored += self.pending.records();
                self.counters.stored_bytes += self.pending.captured();
                self.pending.written();
                self.note_recovery();
            }
            Err(error) => self.note_failure(&error),
        }
    }

    #[cold]
    fn note_failure(&mut self, error: &SinkError) {
        if !self.counters.failing {
            self.counters.failing = true;
            self.counters.failures += 1;
            self.failed_before = self.counters.failed;
            tracing::error!(%error, "writing packets fails; the capture goes on, lost packets are counted");
        }
        self.files.close();
    }

    fn note_recovery(&mut self) {
        if self.counters.failing {
            self.counters.failing = false;
            let lost = self.counters.failed - self.failed_before;
            tracing::warn!(lost, "writing packets works again");
        }
    }

    /// Finishes the file if it holds packets.
    fn next_file(&mut self) {
        // While writing fails there is no file to be finished, and the packets in the buffer begin the next one.
        if self.counters.failing || self.files.records() + self.pending.records() == 0 {
            return;
        }
        self.pending.end_of_file();
        self.write();
        self.files.close();
    }
}

impl Sink for RotatingSink {
    fn interface(&mut self, interface: &Interface) -> Result<u32, SinkError> {
        self.pending.interface(interface)
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        if self.closed {
            return Err(SinkError::Closed);
        }
        self.counters.offered += 1;
        if self.counters.failing && self.pending.is_full() {
            self.counters.failed += 1;
            return Ok(());
        }
        if self.is_file_full(record) {
            self.next_file();
        }
        if let Err(error) = self.pending.record(record) {
            self.counters.failed += 1;
            return Err(error);
        }
        if self.pending.is_due() && !self.counters.failing {
            self.write();
        }
        Ok(())
    }

    fn statistics(&mut self, interface: u32, statistics: &InterfaceStatistics) {
        self.pending.statistics(interface, statistics);
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        if self.closed {
            return Err(SinkError::Closed);
        }
        self.write();
        if self.options.max_age.is_some_and(|most| self.files.age() >= most) {
            self.next_file();
        }
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), SinkError> {
        if self.closed {
            return Err(SinkError::Closed);
        }
        self.next_file();
        Ok(())
    }

    fn finish(&mut self) -> Result<Summary, SinkError> {
        if self.closed {
            return Err(SinkError::Closed);
        }
        self.closed = true;
        if self.files.is_open() || !self.pending.blocks().is_empty() {
            self.pending.end_of_file();
            self.write();
        }
        self.counters.failed += self.pending.records();
        self.pending.lost();
        let report = self.files.finish();
        Ok(Summary {
            counters: self.counters(),
            last_file: report.last_file,
        })
    }

    fn counters(&self) -> Counters {
        let report = self.files.report();
        Counters {
            file_bytes: self.files.total_bytes(),
            files: report.finished,
            files_unfinished: report.unfinished,
            files_deleted: report.deleted,
            ..self.counters
        }
    }
}

impl Drop for RotatingSink {
    /// A sink that goes away without [`Sink::finish`], as in a panic, still finishes its file.
    fn drop(&mut self) {
        self.finish().ok();
    }
}
