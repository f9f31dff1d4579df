//! What the process tells of itself while it works: log lines and metrics.

pub mod elasticsearch;
pub mod logging;
pub mod prometheus;
