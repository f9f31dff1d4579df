//! `aya::Pod` for the types that live in BPF maps.
