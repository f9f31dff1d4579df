//! What the process tells of itself while it works.

pub mod logging;
