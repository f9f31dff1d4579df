//! `trim` benchmarks.
fn main() {}
