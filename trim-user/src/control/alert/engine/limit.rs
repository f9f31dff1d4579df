//! How many messages a channel is given.

use serde::{Deserialize, Serialize};

use super::super::time::Time;
use super::settings::RateLimit;

/// A token bucket. It starts full.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    tokens: f64,
    filled: Time,
}

impl Bucket {
    pub(super) const fn full(limit: RateLimit, now: Time) -> Self {
        Self {
            tokens: limit.messages as f64,
            filled: now,
        }
    }

    fn fill(&mut self, limit: RateLimit, now: Time) {
        let gained = now.since(self.filled).as_secs_f64() / limit.per.as_secs_f64() * f64::from(limit.messages);
        self.tokens = (self.tokens + gained).min(f64::from(limit.messages));
        self.filled = self.filled.max(now);
    }

    /// Whether one more message may leave.
    pub(super) fn has_one(&mut self, limit: RateLimit, now: Time) -> bool {
        self.fill(limit, now);
        self.tokens >= 1.0
    }

    /// A message leaves.
    pub(super) fn take(&mut self) {
        self.tokens = (self.tokens - 1.0).max(0.0);
    }

    /// A message that did not arrive does not count.
    pub(super) fn give_back(&mut self, limit: RateLimit) {
        self.tokens = (self.tokens + 1.0).min(f64::from(limit.messages));
    }
}
