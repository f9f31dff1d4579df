//! What can be wrong with a configuration file.

use std::fmt;
use std::path::PathBuf;

use serde_saphyr::Location;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("cannot read configuration {}: {io}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        io: std::io::Error,
    },
    /// Its content is not allowed.
    #[error("{}", listed(path, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Everything wrong with it; never empty.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// A capture needs at least one interface.
    pub fn no_interface(path: &std::path::Path) -> Self {
        let message = "none is named: list them there, or give `--interface` (`trim interfaces` shows what there is)";
        Self::Invalid {
            path: path.into(),
            problems: vec![Problem::nowhere("capture.interfaces", message)],
        }
    }
}

fn listed(path: &std::path::Path, problems: &[Problem]) -> String {
    let lines: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}:{problem}", path.display()))
        .collect();
    lines.join("\n")
}

/// One thing wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 when no place is known.
    pub line: u64,
    /// Column, from 1; 0 when no place is known.
    pub column: u64,
    /// What is wrong and what is allowed.
    pub message: String,
}

impl Problem {
    pub(super) fn at(location: Location, key: &str, message: impl fmt::Display) -> Self {
        Self {
            line: location.line(),
            column: location.column(),
            message: format!("{key}: {message}"),
        }
    }

    pub(super) fn nowhere(key: &str, message: impl fmt::Display) -> Self {
        Self {
            line: 0,
            column: 0,
            message: format!("{key}: {message}"),
        }
    }

    pub(super) fn from_yaml(error: &serde_saphyr::Error) -> Self {
        let bare = error.without_snippet();
        let (line, column) = bare.location().map_or((0, 0), |at| (at.line(), at.column()));
        let text = bare.to_string();
        // The place stands in front of the message already.
        let message = text
            .rsplit_once(" at line ")
            .map_or(text.as_str(), |(message, _)| message);
        Self {
            line,
            column,
            message: message.to_owned(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, " {}", self.message),
            line => write!(f, "{line}:{}: {}", self.column, self.message),
        }
    }
}
