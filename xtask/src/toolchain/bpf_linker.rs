//! `bpf-linker`, which turns the compiler's bitcode into a BPF object. Its LLVM must not be older than the compiler's.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::cache::{Cache, write_script};
use super::ebpf_compiler::Compiler;
use crate::command::{cargo, find, output, run, say};

const VERSION: &str = "0.13.0";
/// The major versions of LLVM that this version can be built for: it has a feature for each.
pub(crate) const LLVM: RangeInclusive<u32> = 21..=23;

/// The path of a linker that fits `compiler`, installed first when there is none.
pub(crate) fn linker(cache: &Cache, compiler: &Compiler) -> Result<PathBuf> {
    let Some(prefix) = &compiler.llvm_prefix else {
        return beside_rustup(cache);
    };
    let name = format!("bpf-linker-{VERSION}-llvm-{}", compiler.llvm_major);
    let installed = cache.path(&name).join("bpf-linker");
    if runs(&installed) {
        return Ok(installed);
    }
    say(format!(
        "building bpf-linker {VERSION} for LLVM {} into {} (about a minute)",
        compiler.llvm_major,
        cache.path(&name).display()
    ));
    let place = cache.install(&name, |at| build(at, prefix, compiler.llvm_major))?;
    Ok(place.join("bpf-linker"))
}

/// Builds the linker against the libraries of the compiler's own LLVM; a wrapper script finds them again at run time.
fn build(at: &Path, llvm_prefix: &Path, llvm_major: u32) -> Result<()> {
    let libraries = llvm_prefix.join("lib");
    let work = at.join("work");
    let mut command = cargo();
    command.args([
        "install",
        "--quiet",
        "bpf-linker",
        "--locked",
        "--version",
        VERSION,
        "--no-default-features",
    ]);
    command.arg("--features").arg(format!("llvm-{llvm_major}"));
    command.arg("--root").arg(at).arg("--target-dir").arg(&work);
    command
        .env("LLVM_PREFIX", llvm_prefix)
        .env("LD_LIBRARY_PATH", &libraries);
    run(&mut command).context("bpf-linker could not be built; it needs a C compiler (gcc) and the crates registry")?;
    std::fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
    let script = format!(
        "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n\
         LD_LIBRARY_PATH='{}' exec \"$here/bin/bpf-linker\" \"$@\"\n",
        libraries.display()
    );
    write_script(&at.join("bpf-linker"), &script)
}

/// With rustup's compilers: the user's own linker, else the statically linked one its authors publish, which is the
/// way they recommend.
fn beside_rustup(cache: &Cache) -> Result<PathBuf> {
    if let Some(own) = find("bpf-linker") {
        return Ok(own);
    }
    let name = format!("bpf-linker-{VERSION}");
    let installed = cache.path(&name).join("bpf-linker");
    if runs(&installed) {
        return Ok(installed);
    }
    let file = format!("bpf-linker-{}-unknown-linux-musl.tar.zst", std::env::consts::ARCH);
    let url = format!("https://github.com/aya-rs/bpf-linker/releases/download/v{VERSION}/{file}");
    say(format!("downloading {url} into {}", cache.path(&name).display()));
    let place = cache.install(&name, |at| download(&url, at))?;
    Ok(place.join("bpf-linker"))
}

fn download(url: &str, at: &Path) -> Result<()> {
    let archive = at.join("archive.tar.zst");
    let advice = "bpf-linker could not be downloaded; install it by `cargo binstall bpf-linker` and try again";
    run(Command::new("curl")
        .args(["-fsSL", "--retry", "3", "-o"])
        .arg(&archive)
        .arg(url))
    .context(advice)?;
    run(Command::new("tar")
        .args(["--zstd", "-xf"])
        .arg(&archive)
        .arg("-C")
        .arg(at))
    .context(advice)
}

fn runs(linker: &Path) -> bool {
    linker.is_file() && output(Command::new(linker).arg("--version")).is_ok()
}
