//! The network laboratory and tool set-up that tests, the demo and benchmarks share.
