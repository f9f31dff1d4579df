//! What the fuzz targets assert. A target takes any bytes and panics when something that must hold does not.
//!
//! The fuzzer uses these modules as a crate; `trim-user/tests/fuzz_corpus.rs` includes them as a module and runs them
//! on every committed input with stable Rust.

pub mod capture_reader;
pub mod frames;
pub mod framing;
pub mod header_views;
pub mod judging;
pub mod legacy;
pub mod plain;
pub mod scanning;
pub mod second_opinion;
pub mod traffic;
pub mod worker;
