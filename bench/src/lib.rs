//! What the benchmarks share: traffic in memory, and somebody to give it to a trimmer.

pub mod memory;
