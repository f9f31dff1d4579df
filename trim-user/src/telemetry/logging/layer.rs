//! From `tracing` events to lines.

use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::error::LoggingError;
use super::line::{Level, Line, bounded};
use super::queue::Input;
use super::redact::Redactor;
use super::settings::{LogLevel, Logging};

/// The least serious level that is logged, as a number: it may be changed while others log.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);

/// What the log of this process hides.
static REDACTION: RwLock<Option<Arc<Redactor>>> = RwLock::new(None);

/// Hides other patterns and names from now on, in the log of this process.
///
/// # Errors
/// When a pattern is no regular expression; then everything stays as it was.
pub fn set_redaction(settings: &Logging) -> Result<(), LoggingError> {
    let redactor = Redactor::new(&settings.redact, &settings.redact_fields)?;
    *REDACTION.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(redactor));
    Ok(())
}

/// Logs from this level on, from now on.
pub fn set_level(level: LogLevel) {
    let level = match level {
        LogLevel::Error => Level::Error,
        LogLevel::Warn => Level::Warn,
        LogLevel::Info => Level::Info,
        LogLevel::Debug => Level::Debug,
    };
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Makes lines of events.
#[derive(Debug)]
pub(super) struct Logger {
    queue: Input,
    redactor: Arc<Redactor>,
}

impl Logger {
    pub(super) fn new(queue: Input, redactor: Redactor) -> Self {
        let redactor = Arc::new(redactor);
        Self { queue, redactor }
    }

    /// What was set since the start, or what was set then.
    fn redactor(&self) -> Arc<Redactor> {
        let set = REDACTION.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(set.as_ref().unwrap_or(&self.redactor))
    }
}

impl<S: Subscriber> Layer<S> for Logger {
    /// The level may change, so nobody may remember the answer.
    fn register_callsite(&self, _metadata: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        metadata.is_event() && level(metadata) as u8 <= LEVEL.load(Ordering::Relaxed)
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let redactor = self.redactor();
        let mut parts = Parts {
            redactor: &redactor,
            target: None,
            message: String::new(),
            fields: Vec::new(),
        };
        event.record(&mut parts);
        self.queue.put(Line {
            at: jiff::Timestamp::now(),
            level: level(event.metadata()),
            target: parts.target.unwrap_or_else(|| event.metadata().target().to_owned()),
            message: redactor.text(&bounded(parts.message)),
            fields: parts.fields,
        });
    }
}

fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

struct Parts<'a> {
    redactor: &'a Redactor,
    target: Option<String>,
    message: String,
    fields: Vec<(String, String)>,
}

impl Parts<'_> {
    fn add(&mut self, field: &Field, value: String) {
        match field.name() {
            "message" => self.message = value,
            // Lines of the crate `log` come with their origin in fields.
            "log.target" => self.target = Some(value),
            name if name.starts_with("log.") => {}
            name => {
                let value = self.redactor.value(name, &bounded(value));
                self.fields.push((name.to_owned(), value));
            }
        }
    }
}

impl Visit for Parts<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        self.add(field, text);
    }
}
