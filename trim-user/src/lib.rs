//! `trim`: an HTTP-aware capture appliance. It keeps every packet, every header below HTTP and every HTTP header
//! block byte for byte, and removes message bodies.
//!
//! The data path reads in one direction, `capture -> dispatch -> trim -> sink` ([`data`]); the control path is another
//! wing ([`control`]); both see only [`shared`]. `docs/architecture.md` is the map.

pub mod cli;
pub mod config;
pub mod control;
pub mod data;
pub mod http;
#[allow(
    unsafe_code,
    reason = "the one place for system calls, shared memory and BPF; every block carries its argument"
)]
pub mod kernel;
pub mod ops;
pub mod packet;
pub mod plot;
pub mod sealed;
pub mod shared;
pub mod telemetry;
pub mod trimmer;
