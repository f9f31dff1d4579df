//! What can be wrong with a configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use super::place::{Place, Source};

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read configuration {}: {io}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        io: std::io::Error,
    },
    /// Its content is not allowed.
    #[error("{}", listed(problems))]
    Invalid {
        /// Everything wrong with it; never empty.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// A capture needs at least one interface; `file` is where it would be written.
    pub fn no_interface(file: &Path) -> Self {
        let message = format!(
            "none is named: list them in {}, or give `--interface` (`trim interfaces` shows what there is)",
            file.display()
        );
        Self::Invalid {
            problems: vec![Problem::nowhere("capture.interfaces", message)],
        }
    }
}

fn listed(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// One thing wrong with a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it was written in; `None` when it was not written.
    pub source: Option<Source>,
    /// Line, from 1; 0 when no place is known.
    pub line: u64,
    /// Column, from 1; 0 when no place is known.
    pub column: u64,
    /// The key, where it is about one; then what is wrong and what is allowed.
    pub message: String,
    /// Number of the layer, from 0, the lowest.
    layer: Option<u32>,
}

impl Problem {
    pub(super) fn at(place: Place, key: &str, message: impl fmt::Display) -> Self {
        match key {
            "" => Self::of_text(place, message),
            key => Self::of_text(place, format!("{key}: {message}")),
        }
    }

    /// A problem that is not about a key.
    pub(super) fn of_text(place: Place, message: impl fmt::Display) -> Self {
        Self {
            source: None,
            line: place.line.into(),
            column: place.column.into(),
            message: message.to_string(),
            layer: Some(place.layer),
        }
    }

    pub(super) fn nowhere(key: &str, message: impl fmt::Display) -> Self {
        Self {
            source: None,
            line: 0,
            column: 0,
            message: format!("{key}: {message}"),
            layer: None,
        }
    }

    /// Puts problems in the order of their places, and names what each was written in.
    pub(super) fn sort_and_name(problems: &mut [Self], sources: &[Source]) {
        problems.sort_by_key(|problem| (problem.layer, problem.line, problem.column));
        for problem in problems {
            let layer = problem.layer.and_then(|layer| usize::try_from(layer).ok());
            problem.source = layer.and_then(|layer| sources.get(layer)).cloned();
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, self.line) {
            (Some(source), 0) => write!(f, "{source}: {}", self.message),
            (Some(source), line) => write!(f, "{source}:{line}:{}: {}", self.column, self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}
