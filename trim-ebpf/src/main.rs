//! The XDP programs of `trim`.
//!
//! `trim` is the capture program: `parse -> assign (with classify) -> mark -> steer -> cut -> tag`, one file per step. What
//! the steps decide stands in `trim-common`, as pure functions; the files here fetch what those need from the packet and
//! the maps. `source` makes traffic for the benchmark.
//!
//! # Building
//!
//! For `bpfel-unknown-none` in release, with a compiler that has `core` for that target and with a `bpf-linker` made for
//! the same LLVM. `cargo xtask build` does it; by hand:
//!
//! ```text
//! RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C linker=bpf-linker -C debuginfo=2 -C link-arg=--btf -C target-cpu=v3" \
//! CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 CARGO_PROFILE_RELEASE_PANIC=abort \
//! cargo build --package trim-ebpf --target bpfel-unknown-none --release
//! ```
//!
//! - `RUSTC_BOOTSTRAP=1`: `aya-ebpf` uses inline assembly, which is unstable for this target.
//! - LTO off: `bpf-linker` does it, on one module.
//! - `target-cpu=v3`: 32-bit arithmetic and jumps (Linux 5.1).
//! - `--btf`: function and line information, so that the verifier's complaints quote the source.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
mod assign;
#[cfg(target_arch = "bpf")]
mod classify;
#[cfg(target_arch = "bpf")]
mod count;
#[cfg(target_arch = "bpf")]
mod ctx;
#[cfg(target_arch = "bpf")]
mod cut;
#[cfg(target_arch = "bpf")]
mod lease;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod parse;
#[cfg(target_arch = "bpf")]
mod program;
#[cfg(target_arch = "bpf")]
mod source;
#[cfg(target_arch = "bpf")]
mod steer;
#[cfg(target_arch = "bpf")]
mod tag;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
