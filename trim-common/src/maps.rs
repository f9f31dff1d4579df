//! Names, sizes and value types of the BPF maps.
