//! What can be wrong with a configuration.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use super::place::{Place, Source};
use crate::sealed::SealedError;

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file could not be read.
    #[error("cannot read configuration {}: {io}; {}", path.display(), remedy(io))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        io: io::Error,
    },
    /// It is encrypted and cannot be opened.
    #[error("cannot read configuration: {0}")]
    Sealed(#[source] SealedError),
    /// Its content is not allowed.
    #[error("{}", listed(problems))]
    Invalid {
        /// Everything wrong with it; never empty.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    /// The file that could not be read, if that was it.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Read { path, .. } => Some(path),
            Self::Sealed(error) => error.path(),
            Self::Invalid { .. } => None,
        }
    }

    /// There is no such key; the hint begins with `;`, or is empty.
    pub fn unknown_key(key: &str, hint: &str) -> Self {
        Self::Invalid {
            problems: vec![Problem::nowhere(key, format!("there is no such key{hint}"))],
        }
    }

    /// A capture needs at least one interface; `file` is where it would be written.
    pub(super) fn no_interface(file: &Path) -> Self {
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
    /// The key it is about, if about one.
    pub key: Option<String>,
    /// What is wrong, what is allowed, and which word may have been meant.
    pub message: String,
    /// Number of the layer, from 0, the lowest.
    layer: Option<u32>,
}

impl Problem {
    pub(super) fn at(place: Place, key: &str, message: impl fmt::Display) -> Self {
        Self {
            key: (!key.is_empty()).then(|| key.to_owned()),
            ..Self::of_text(place, message)
        }
    }

    /// A problem that is not about a key.
    pub(super) fn of_text(place: Place, message: impl fmt::Display) -> Self {
        Self {
            source: None,
            line: place.line.into(),
            column: place.column.into(),
            key: None,
            message: message.to_string(),
            layer: Some(place.layer),
        }
    }

    pub(super) fn nowhere(key: &str, message: impl fmt::Display) -> Self {
        Self {
            source: None,
            line: 0,
            column: 0,
            key: Some(key.to_owned()),
            message: message.to_string(),
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
            (Some(source), 0) => write!(f, "{source}: ")?,
            (Some(source), line) => write!(f, "{source}:{line}:{}: ", self.column)?,
            (None, _) => {}
        }
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// What to do about a file that cannot be read.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "name another file, or write one with `trim config init --output FILE`",
        io::ErrorKind::PermissionDenied => "run this as root, or as a user who may read it",
        io::ErrorKind::IsADirectory => "name a file; fragments belong into the folder conf.d next to it",
        _ => "name another file",
    }
}
