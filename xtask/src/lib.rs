//! The network laboratory and the tool set-up that tests, the demo and benchmarks share.

pub mod command;
pub mod lab;
pub mod toolchain;
pub mod workspace;
