//! Log lines: from `tracing` to standard error, journald or files, without secrets, and without holding anybody up.
//!
//! Whoever logs makes a [`Line`], takes the secrets out ([`Redactor`]) and puts it into a bounded queue; a thread of its own
//! writes. So no sink ever sees a secret, and a slow, full or broken disk costs lines, which are counted and said, but
//! never the time of the data path or of the lease.

mod error;
mod layer;
mod line;
mod queue;
mod read;
mod redact;
mod settings;
mod sink;
mod writer;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub use error::LoggingError;
pub use layer::{set_level, set_redaction};
pub use line::{Level, Line};
pub use read::{Entry, Files, Follow, parse};
pub use redact::{HIDDEN, Redactor};
pub use settings::{LogFormat, LogLevel, LogTo, Logging};
pub use writer::Writer;

/// Begins to log. What is on its way is written when the returned [`Writer`] is dropped.
///
/// # Errors
/// When the sink that is configured cannot be had.
pub fn init(settings: &Logging) -> Result<Writer, LoggingError> {
    let (logger, writer) = start(settings, sink::open(settings)?)?;
    set_level(settings.level);
    // A second call, as in tests, leaves the first one in force.
    let _ = tracing_subscriber::registry().with(logger).try_init();
    Ok(writer)
}

fn start(settings: &Logging, sink: Box<dyn sink::Sink>) -> Result<(layer::Logger, Writer), LoggingError> {
    let redactor = Redactor::new(&settings.redact, &settings.redact_fields)?;
    let (sender, receiver) = queue::queue(settings.queue);
    Ok((layer::Logger::new(sender, redactor), Writer::start(sink, receiver)?))
}

#[cfg(test)]
mod tests;
