//! How a live capture ends.

use crate::data::sink::{SinkError, Summary};
use crate::kernel::xsk::{Audit, XskError};
use crate::shared::Latency;

/// What a data-path thread leaves behind.
#[derive(Debug, Default)]
pub struct Ended {
    /// Where every frame of its queues was at the end.
    pub audits: Vec<Audit>,
    /// What became of the packets given to its sink, when it had one.
    pub summary: Option<Summary>,
    /// The latencies it recorded.
    pub latency: Latency,
    /// What went wrong while it ran. Everything it had received was dealt with all the same.
    pub errors: Vec<LiveError>,
}

/// What keeps a data-path thread from its work.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// A thread could not be started.
    #[error("cannot start thread {name}: {error}")]
    Spawn {
        /// Its name.
        name: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A thread panicked outside the trimmers.
    #[error("thread {name} panicked; this is a defect in trim, please report it with the lines above")]
    Panicked {
        /// Its name.
        name: String,
    },
    /// A queue will not deliver any more.
    #[error("RX queue {queue} was closed by the kernel: {error} (was the interface removed?)")]
    Queue {
        /// Its number.
        queue: u32,
        /// What the kernel said.
        error: std::io::Error,
    },
    /// Receiving failed.
    #[error(transparent)]
    Xsk(#[from] XskError),
    /// The output could not be finished.
    #[error(transparent)]
    Sink(#[from] SinkError),
}
