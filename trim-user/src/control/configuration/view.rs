//! What is told of the configuration. No secret is in it: a configuration only names where its secrets are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Change;
use super::named;
use crate::config::{KeyValue, Keys, Loaded};
use crate::control::health::Moment;

/// `GET /v1/config`: what is active.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActiveConfiguration {
    /// SHA-256 of what was written in all layers, in hexadecimal.
    pub sha256: String,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// Who made it so: `start`, `SIGHUP`, or a user.
    pub who: String,
    /// The layers it was made of, the lowest first.
    pub layers: Vec<String>,
    /// Every key.
    pub keys: BTreeMap<String, KeyView>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyView {
    /// The value; null when there is none.
    #[schema(value_type = Value)]
    pub value: Value,
    /// Where it is written; nothing when it is the default.
    pub origin: Option<String>,
}

/// What came of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Applied {
    /// In words.
    pub done: String,
    /// The number of the version that this made, if it made one and the database has taken it.
    pub version: Option<u64>,
    /// SHA-256 of what is active now.
    pub sha256: String,
    /// Keys that have changed.
    pub applied: Vec<Change>,
    /// Keys that will change when the daemon is started again.
    pub needs_restart: Vec<Change>,
    /// After a rollback: where the files say something else, which holds again from the next reload or start on.
    pub files_differ: Vec<Change>,
}

impl ActiveConfiguration {
    pub(super) fn of(loaded: &Loaded, since: Moment, who: String) -> Self {
        let keys = loaded.keys().into_iter().map(|(key, KeyValue { value, origin })| {
            let view = KeyView { value, origin };
            (key, view)
        });
        Self {
            sha256: loaded.sha256(),
            since_ms: since.0,
            who,
            layers: loaded.sources.iter().map(ToString::to_string).collect(),
            keys: keys.collect(),
        }
    }

    /// The keys, to be compared with others.
    pub fn effective(&self) -> Keys {
        let keys = self.keys.iter().map(|(key, KeyView { value, origin })| {
            let (value, origin) = (value.clone(), origin.clone());
            (key.clone(), KeyValue { value, origin })
        });
        keys.collect()
    }
}

impl Applied {
    pub(super) fn words(&self) -> String {
        let applied = match self.applied.as_slice() {
            [] => "nothing has changed".to_owned(),
            changes => format!("changed: {}", named(changes)),
        };
        match self.needs_restart.as_slice() {
            [] => applied,
            changes => format!("{applied}; to be changed by a restart: {}", named(changes)),
        }
    }
}
