//! Puts the eBPF object into the binary when `cargo xtask` has built one (`TRIM_EBPF_OBJECT` names it).
//!
//! Without it the build still succeeds with stable Rust alone, and `trim` says what is missing when a live capture is
//! asked for.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=TRIM_EBPF_OBJECT");
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let embedded = Path::new(&out).join("trim-ebpf.o");
    match env::var_os("TRIM_EBPF_OBJECT") {
        Some(object) => {
            println!("cargo::rerun-if-changed={}", Path::new(&object).display());
            fs::copy(&object, &embedded)?;
        }
        None => fs::write(&embedded, [])?,
    }
    Ok(())
}
