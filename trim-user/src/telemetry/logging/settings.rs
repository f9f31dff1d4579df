//! What is logged, where to, and for how long it is kept.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The least serious log lines that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// And what may become one.
    Warn,
    /// And what an operator wants to know.
    Info,
    /// And what a developer wants to know.
    Debug,
}

/// Where log lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogTo {
    /// Standard error.
    Stderr,
    /// systemd's journal, by its native protocol.
    Journald,
    /// Files of our own.
    File,
}

/// The log.
#[derive(Clone, Debug)]
pub struct Logging {
    /// Text or JSON; the journal has fields of its own.
    pub format: LogFormat,
    /// The least serious level that is written.
    pub level: LogLevel,
    /// Where lines go.
    pub to: LogTo,
    /// Folder of the files.
    pub directory: PathBuf,
    /// A new file before one has more than this many bytes.
    pub rotate_bytes: u64,
    /// Files that are kept besides the one that is written.
    pub keep: usize,
    /// A file is deleted when its last line is this old.
    pub keep_time: Duration,
    /// Lines that may wait to be written; more are dropped and counted.
    pub queue: usize,
    /// Regular expressions; what they match is hidden.
    pub redact: Vec<String>,
    /// Parts of names whose values are hidden, besides those that always are.
    pub redact_fields: Vec<String>,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: LogLevel::Info,
            to: LogTo::Stderr,
            directory: PathBuf::from("/var/log/trim"),
            rotate_bytes: 64 << 20,
            keep: 10,
            keep_time: Duration::from_secs(14 * 24 * 3600),
            queue: 8192,
            redact: Vec::new(),
            redact_fields: Vec::new(),
        }
    }
}
