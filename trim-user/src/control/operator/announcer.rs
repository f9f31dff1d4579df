//! What people are to know.

use crate::control::health::{Evidence, Thresholds};
use crate::control::rollout::Importance;

/// Tells people. Neither method may wait for anything.
pub trait Announcer: Send {
    /// What was seen in the last minute or so.
    fn conditions(&mut self, window: &Evidence, thresholds: &Thresholds);
    /// What has happened.
    fn event(&mut self, importance: Importance, rule: &str, summary: &str);
}
