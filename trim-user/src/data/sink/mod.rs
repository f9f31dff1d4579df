//! Where packets go: capture files, one or many in rotation, or nowhere.
//!
//! Encoders turn records into whole blocks; a [`chunk`] file appends many whole blocks at a time and, when that
//! fails, goes back to the end of the last ones. So whatever happens, what is on disk can be read.

mod chunk;
mod compress;
mod encode;
mod error;
mod null;
mod pending;
mod rotate;
mod single;
mod target;

pub use compress::OutputFormat;
pub use error::SinkError;
pub use null::NullSink;
pub use rotate::{RotatingSink, RotationOptions};
pub use single::FileSink;

use std::path::PathBuf;

use super::{Interface, InterfaceStatistics, Record};

/// Takes the packets that are kept.
pub trait Sink: Send {
    /// Announces an interface and gives the number that its records shall carry: 0, 1, ... in order of the calls.
    ///
    /// # Errors
    /// When the output cannot hold it, such as a second link type in a pcap file.
    fn interface(&mut self, interface: &Interface) -> Result<u32, SinkError>;

    /// Stores one packet, at once or with the next [`Sink::flush`]. Allocates nothing.
    ///
    /// # Errors
    /// [`SinkError`] where the whole output is lost by it. A sink for live captures counts what it cannot write and
    /// goes on.
    fn record(&mut self, record: &Record<'_>) -> Result<(), SinkError>;

    /// Notes the latest counts of an interface; they are stored at the end of each file.
    fn statistics(&mut self, interface: u32, statistics: &InterfaceStatistics);

    /// Writes what is buffered, so that it outlives this process. To be called about once a second.
    ///
    /// # Errors
    /// As [`Sink::record`].
    fn flush(&mut self) -> Result<(), SinkError>;

    /// Finishes the current file and starts another one with the next record; nothing happens when the current file
    /// holds no packets or the sink has just one file.
    ///
    /// # Errors
    /// As [`Sink::record`].
    fn rotate(&mut self) -> Result<(), SinkError>;

    /// Writes everything, finishes the current file and tells what became of the records. Further records are refused.
    ///
    /// # Errors
    /// As [`Sink::record`]; also when called twice.
    fn finish(&mut self) -> Result<Summary, SinkError>;

    /// What became of the records so far.
    fn counters(&self) -> Counters;
}

/// What became of the records. Those still buffered are `offered - stored - failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records given to the sink, packets.
    pub offered: u64,
    /// Records handed to the operating system in whole blocks, packets.
    pub stored: u64,
    /// Records lost because they could not be written, packets.
    pub failed: u64,
    /// Captured bytes of the stored records, without any file format around them.
    pub stored_bytes: u64,
    /// Bytes handed to the operating system: formatted, and compressed where that is asked for.
    pub file_bytes: u64,
    /// Files finished under their final names.
    pub files: u64,
    /// Files that were written but could not be finished; they keep a name that ends in `.part`.
    pub files_unfinished: u64,
    /// Finished files that were deleted to keep the quota.
    pub files_deleted: u64,
    /// Times that writing began to fail.
    pub failures: u64,
    /// Whether writing fails now.
    pub failing: bool,
}

impl Counters {
    /// Records that wait in the buffer.
    pub const fn buffered(&self) -> u64 {
        self.offered - self.stored - self.failed
    }
}

/// The end of a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What became of all records; none is buffered any more.
    pub counters: Counters,
    /// The last file that was finished; `None` for standard output and for no file at all.
    pub last_file: Option<PathBuf>,
}
