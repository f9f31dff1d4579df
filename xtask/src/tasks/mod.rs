//! One file per task.

pub(crate) mod build;
