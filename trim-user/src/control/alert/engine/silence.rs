//! Silences: what people do not want to hear of for a while.

use serde::{Deserialize, Serialize};

use super::super::matcher::Matchers;
use super::super::time::Time;

/// Alerts that match are not told until it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its number.
    pub id: u64,
    /// Which alerts.
    pub matchers: Matchers,
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub comment: String,
}
