//! What an archive holds, and what it does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the archive's form.
pub(super) const FORMAT: u32 = 1;

/// The first file of an archive, `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub format: u32,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// The same, milliseconds since 1970.
    pub made_at_ms: u64,
    /// The version of the `trim` that made it.
    pub version: String,
    /// The machine's name.
    pub host: String,
    /// Hours of samples, events and log lines that were asked for.
    pub hours: u64,
    /// How the daemon was found.
    pub daemon: Daemon,
    /// Every part, in the archive or not.
    pub parts: BTreeMap<String, Part>,
}

/// How the daemon was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Daemon {
    /// It answers.
    Alive {
        /// Its process id.
        pid: u32,
    },
    /// It listens and does not answer in time.
    Hanging {
        /// Its process id, if the kernel tells.
        pid: Option<u32>,
        /// What happened to the request.
        reason: String,
    },
    /// Nobody listens.
    Dead {
        /// What the system said.
        reason: String,
    },
}

impl Daemon {
    /// Its process id, if it has one.
    pub const fn pid(&self) -> Option<u32> {
        match self {
            Self::Alive { pid } => Some(*pid),
            Self::Hanging { pid, .. } => *pid,
            Self::Dead { .. } => None,
        }
    }
}

/// A part of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Part {
    /// It is there.
    Collected {
        /// Its length, bytes.
        bytes: u64,
        /// What is not in it, if something is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        without: Option<String>,
    },
    /// It could not be had.
    Missing {
        /// Why.
        reason: String,
    },
    /// It was not asked for.
    NotAsked {
        /// The flag that asks for it.
        flag: String,
    },
}
