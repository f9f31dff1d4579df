//! What the XDP program and user space of `trim` share: the binary interface between them and the pure decisions that
//! both must make alike.
//!
//! Nothing here does I/O, reads a clock or allocates, so every function runs unchanged in the kernel.
#![no_std]

pub mod assign;
pub mod classify;
pub mod cut;
pub mod flow;
pub mod frame;
pub mod headers;
pub mod judge;
pub mod maps;
#[cfg(feature = "user")]
mod pod;
pub mod reason;
pub mod source;
pub mod strategy;
pub mod tag;
