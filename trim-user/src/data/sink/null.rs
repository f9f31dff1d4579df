//! A sink that counts and forgets, for measurements.

use super::{Counters, Sink, SinkError, Summary};
use crate::data::{Interface, InterfaceStatistics, Record};

/// Takes everything and stores nothing.
#[derive(Debug, Default)]
pub struct NullSink {
    interfaces: u32,
    counters: Counters,
}

impl NullSink {
    /// A sink that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Sink for NullSink {
    fn interface(&mut self, _interface: &Interface) -> Result<u32, SinkError> {
        self.interfaces += 1;
        Ok(self.interfaces - 1)
    }

    #[inline]
    fn record(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        self.counters.offered += 1;
        self.counters.stored += 1;
        self.counters.stored_bytes += record.data.len() as u64;
        Ok(())
    }

    fn statistics(&mut self, _interface: u32, _statistics: &InterfaceStatistics) {}

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn rotate(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    fn finish(&mut self) -> Result<Summary, SinkError> {
        Ok(Summary {
            counters: self.counters,
            last_file: None,
        })
    }

    fn counters(&self) -> Counters {
        self.counters
    }
}
