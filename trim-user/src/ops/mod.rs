//! Offline tools for people who check what the appliance did.

pub mod selftest;
pub mod verify;
