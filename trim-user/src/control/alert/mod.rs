//! Alerts: who is told what, when, and by which way.
//!
//! [`engine`] decides, and does nothing else; the rest carries messages out and keeps them until they have arrived.

pub mod engine;
pub mod matcher;
pub mod message;
pub mod notice;
pub mod rules;
pub mod time;
