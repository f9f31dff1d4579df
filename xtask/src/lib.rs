//! The network laboratory and the tool set-up that tests, the demo and benchmarks share; and packages.

pub mod command;
pub mod lab;
pub mod package;
pub mod toolchain;
pub mod workspace;
