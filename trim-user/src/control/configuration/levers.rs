//! What a change of the configuration moves. Nothing here can fail, so that a change is made as a whole.

use std::sync::Arc;

use crate::config::Config;
use crate::control::alert::AlertDesk;
use crate::control::operator;
use crate::telemetry::logging;

/// What a change of the configuration moves. None of it is on the way of packets.
pub struct Levers {
    /// Rules, channels and everything else of alerts, but for where they are kept.
    pub alerts: Arc<AlertDesk>,
    /// Thresholds and criteria, from the next look on.
    pub operator: operator::Desk,
}

impl Levers {
    /// Moves all.
    pub(super) fn apply(&self, config: &Config) {
        logging::set_level(config.logging.level);
        // The patterns are validated: the configuration would not have been read otherwise.
        if let Err(error) = logging::set_redaction(&config.logging) {
            tracing::error!(%error, "what is hidden in the log stays as it is");
        }
        self.alerts.lock().reconfigure(config.alerts.clone());
        self.operator
            .reconfigure(config.rollout.clone(), config.watching.interval);
    }
}
