//! Which changes take effect without a restart: the one place that says so.

/// Keys, or sections with all their keys, whose changes a running capture takes over.
const TAKEN_OVER: [&str; 0] = [];

/// Whether a change of this key needs a restart of the capture.
pub(super) fn is_needed(key: &str) -> bool {
    let covers = |known: &&str| {
        key.strip_prefix(*known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    !TAKEN_OVER.iter().any(|known| covers(&known))
}
