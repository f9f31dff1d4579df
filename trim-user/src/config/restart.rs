//! Which changes take effect without a restart: the one place that says so.

/// Keys and whole sections that change in the running process. All others need a restart: sockets, threads, memory and files
/// are laid out by them, or a rollout is under way that was decided upon by them (its phases).
pub const RELOADABLE: [&str; 26] = [
    "alerts.group_by",
    "alerts.group_wait",
    "alerts.group_interval",
    "alerts.repeat",
    "alerts.resolve_after",
    "alerts.event_lasts",
    "alerts.retry_pause",
    "alerts.rules",
    "alerts.inhibit",
    "alerts.channels",
    "health.sample_interval",
    "health.unresponsive_after",
    "health.fewest_packets",
    "health.forecast",
    "health.warning",
    "health.critical",
    "rollout.bake",
    "rollout.fewest_flows",
    "rollout.approve",
    "rollout.step_back_after",
    "rollout.cool_down",
    "rollout.freeze",
    "rollout.rollback",
    "logging.level",
    "logging.redact",
    "logging.redact_fields",
];

/// Whether a change of this key needs a restart of the capture.
pub fn needs_restart(key: &str) -> bool {
    let covers = |known: &&str| {
        key.strip_prefix(*known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    !RELOADABLE.iter().any(covers)
}
