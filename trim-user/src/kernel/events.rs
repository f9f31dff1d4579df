//! Rare events that the XDP program reports (`aya-log`): never per packet.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use aya::Ebpf;
use aya_log::EbpfLogger;
use log::{Level, Log, Metadata, Record};

use super::error::KernelError;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub message: String,
}

impl Event {
    /// Passes the event on to the program's own log.
    pub fn log(&self) {
        match self.level {
            Level::Error => tracing::error!(target: "trim::xdp", "{}", self.message),
            Level::Warn => tracing::warn!(target: "trim::xdp", "{}", self.message),
            Level::Info => tracing::info!(target: "trim::xdp", "{}", self.message),
            Level::Debug | Level::Trace => tracing::debug!(target: "trim::xdp", "{}", self.message),
        }
    }
}

/// Reads the program's events.
pub struct Events {
    reader: EbpfLogger<Collector>,
    collected: Collector,
}

impl Events {
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        let collected = Collector::default();
        let reader = EbpfLogger::init_with_logger(ebpf, collected.clone()).map_err(|error| KernelError::Events {
            reason: error.to_string(),
        })?;
        Ok(Self { reader, collected })
    }

    /// The events since the last call, without waiting.
    pub fn drain(&mut self) -> Vec<Event> {
        self.reader.flush();
        std::mem::take(&mut *self.collected.lock())
    }
}

impl AsRawFd for Events {
    /// Readable when there are events.
    fn as_raw_fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

/// Where `aya-log` puts what it reads. Locked only while events are read, never on the packet path.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Event>>>);

impl Collector {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.lock().push(Event {
            level: record.level(),
            message: record.args().to_string(),
        });
    }

    fn flush(&self) {}
}
