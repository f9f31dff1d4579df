//! Tools for people who check what the appliance did, and the machine it is to do it on.

pub mod backup;
mod capture;
pub mod checklist;
pub mod compare;
pub mod diag;
pub mod doctor;
mod ends;
pub mod explain;
pub mod finding;
pub mod html;
pub mod report;
pub mod selftest;
mod tape;
mod timeline;
pub mod verify;

pub use capture::Capture;
