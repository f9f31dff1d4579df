//! Finds what the repository needs beyond stable Rust, and installs what is missing.
//!
//! Tools that only the build needs (a compiler for BPF, `bpf-linker`) live in a cache folder of the user, never in the
//! repository and never in the system. Tools that must be the system's own (nginx, tcpdump, ...) come from the
//! distribution.

mod bpf_linker;
mod cache;
mod counter;
mod debian;
mod ebpf;
mod ebpf_compiler;
mod fuzzer;
mod system_tools;

pub use counter::instruction_counter;
pub use ebpf::build_object;
pub(crate) use ebpf::built_lab_object;
pub use ebpf_compiler::Compiler;
pub use fuzzer::Fuzzer;
pub use system_tools::{Missing, Tool, ensure_tools, missing_tools};
