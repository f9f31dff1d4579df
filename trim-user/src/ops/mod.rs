//! Offline tools for people who check what the appliance did.

mod capture;
pub mod compare;
mod ends;
pub mod explain;
pub mod selftest;
mod tape;
pub mod verify;

pub use capture::Capture;
