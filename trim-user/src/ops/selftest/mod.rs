//! The built-in self-test of the trimmers.

pub mod generated;
