//! Why logging cannot begin.

use std::io;
use std::path::PathBuf;

/// Why logging cannot begin, or a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// A pattern is no regular expression.
    #[error("`{pattern}` is no regular expression: {error}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        error: Box<regex::Error>,
    },
    /// The folder or a file of the log cannot be used.
    #[error("cannot write the log to {}: {error}; `logging.directory` names another place, `logging.to: stderr` needs none", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// There is no journal.
    #[error(
        "systemd's journal cannot be reached ({0}): is this machine run by systemd? `logging.to` may be `file` or `stderr`"
    )]
    Journal(io::Error),
    /// The writing thread cannot be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(io::Error),
    /// A log cannot be read.
    #[error("cannot read the log in {}: {error}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}
