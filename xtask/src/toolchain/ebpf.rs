//! Builds the XDP program.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::bpf_linker;
use super::cache::Cache;
use super::ebpf_compiler::{Compiler, TARGET};
use crate::command::{run, say};
use crate::workspace;

/// Builds `trim-ebpf` with the first compiler that can, and gives the path of the object: `ebpf/trim-ebpf.o` in the
/// target directory. Building `trim-user` with `TRIM_EBPF_OBJECT` set to that path embeds it.
///
/// # Errors
/// When no compiler or linker can be found or installed, or the program does not compile.
pub fn build_object() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let compiler = Compiler::find(&cache)?;
    let linker = bpf_linker::linker(&cache, &compiler)?;
    drop(cache);
    say(format!("building the XDP program with {}", compiler.version));
    let folder = workspace::target_dir().join("ebpf");
    let work = folder.join("cargo");
    let mut command = compiler.cargo_build();
    command
        .args(["--quiet", "--release", "--package", "trim-ebpf", "--target-dir"])
        .arg(&work);
    command.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", &linker);
    command.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    // The host's link-time optimisation does not apply: bpf-linker optimises the whole program by itself.
    command
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    run(&mut command).context("the XDP program does not build")?;
    let built = work.join(TARGET).join("release");
    replace_if_different(&built.join("trim-lab"), &lab_object())?;
    let object = folder.join("trim-ebpf.o");
    replace_if_different(&built.join("trim-ebpf"), &object)?;
    Ok(object)
}

/// The BPF program of the laboratory: [`build_object`] puts it beside the product's object.
///
/// # Errors
/// When it has not been built.
pub(crate) fn built_lab_object() -> Result<PathBuf> {
    let given = std::env::var_os("TRIM_EBPF_OBJECT").map(PathBuf::from);
    let object = given.map_or_else(lab_object, |object| object.with_file_name(LAB_OBJECT));
    ensure!(
        object.is_file(),
        "{} is missing: build it with `cargo xtask build --object-only`",
        object.display()
    );
    Ok(object)
}

fn lab_object() -> PathBuf {
    workspace::target_dir().join("ebpf").join(LAB_OBJECT)
}

const LAB_OBJECT: &str = "trim-lab.o";

/// BTF lets the kernel name functions and source lines in its messages; it is made from full debug information.
/// Version 3 of the instruction set brings 32-bit arithmetic and jumps (Linux 5.1).
const FLAGS: [&str; 4] = ["-Cdebuginfo=2", "-Clink-arg=--btf", "-Ctarget-cpu=v3", "-Cpanic=abort"];

/// Leaves an equal file alone: its modification time decides whether `trim-user` is built again.
fn replace_if_different(new: &Path, place: &Path) -> Result<()> {
    let bytes = fs::read(new).with_context(|| format!("cannot read {}", new.display()))?;
    if fs::read(place).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    fs::write(place, bytes).with_context(|| format!("cannot write {}", place.display()))
}
