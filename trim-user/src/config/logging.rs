//! The section `logging`.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Check;
use super::place::{Key, Spanned};
use super::raw::NONE;
use super::units::{Size, Span};
use crate::telemetry::logging::{self, LogFormat, LogLevel, LogTo, Redactor};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What the daemon says about itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Logging {
    /// Text or JSON.
    format: Key<LogFormat>,
    /// The least serious level that is written.
    level: Key<LogLevel>,
    /// Standard error, the journal, or files.
    to: Key<LogTo>,
    /// Folder of the files.
    directory: Key<PathBuf>,
    /// A new file before one has more than this many bytes.
    rotate_bytes: Key<Size>,
    /// Files that are kept besides the one that is written.
    keep: Key<u32>,
    /// A file is deleted when its last line is this old.
    keep_time: Key<Span>,
    /// Lines that may wait to be written.
    queue: Key<u32>,
    /// Regular expressions; what they match is hidden.
    redact: Vec<Spanned<String>>,
    /// Parts of names whose values are hidden.
    redact_fields: Vec<Spanned<String>>,
}

/// Values of header fields that are overwritten in captures are hidden in the log, too.
pub(super) fn resolve(check: &mut Check, raw: &Logging, headers: &[Spanned<String>]) -> logging::Logging {
    let default = logging::Logging::default();
    for pattern in &raw.redact {
        if let Err(problem) = Redactor::new(std::slice::from_ref(&pattern.value), &[]) {
            check.at(pattern.referenced, "logging.redact", problem);
        }
    }
    check.note("logging.redact", NONE);
    check.note("logging.redact_fields", NONE);
    let named = raw.redact_fields.iter().chain(headers);
    if let Some(empty) = raw.redact_fields.iter().find(|name| name.value.trim().is_empty()) {
        check.at(
            empty.referenced,
            "logging.redact_fields",
            "an empty name would hide every value",
        );
    }
    logging::Logging {
        format: check.choice("logging.format", &raw.format, default.format),
        level: check.choice("logging.level", &raw.level, default.level),
        to: check.choice("logging.to", &raw.to, default.to),
        directory: check.path(
            "logging.directory",
            &raw.directory,
            &default.directory.to_string_lossy(),
        ),
        rotate_bytes: check.size(
            "logging.rotate_bytes",
            &raw.rotate_bytes,
            default.rotate_bytes,
            64 << 10,
            64 << 30,
        ),
        keep: check.number("logging.keep", &raw.keep, default.keep as u32, 0, 10_000) as usize,
        keep_time: check.span("logging.keep_time", &raw.keep_time, default.keep_time, DAY, 3650 * DAY),
        queue: check.number("logging.queue", &raw.queue, default.queue as u32, 16, 1 << 20) as usize,
        redact: raw.redact.iter().map(|pattern| pattern.value.clone()).collect(),
        redact_fields: named.map(|name| name.value.clone()).collect(),
    }
}
