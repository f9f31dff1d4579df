//! `cargo-fuzz`, and the nightly Rust that it needs: coverage instrumentation and sanitizers are not in stable Rust.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache::Cache;
use crate::command::{cargo, find, output, run, say};

const VERSION: &str = "0.13.2";

const NO_NIGHTLY: &str = "fuzzing needs nightly Rust, which is not here and could not be installed: run `rustup toolchain \
                          install nightly --profile minimal` where there is a network. The committed inputs of all \
                          targets also run on stable: `cargo xtask test stand_every_committed_input`";

/// A way to call `cargo fuzz`.
pub struct Fuzzer {
    /// Where `cargo-fuzz` stands; cargo looks for it on `PATH`.
    folder: PathBuf,
    /// Release of the nightly compiler.
    pub version: String,
}

impl Fuzzer {
    /// Finds nightly Rust and `cargo-fuzz`, installing what is missing.
    ///
    /// # Errors
    /// When one of them is missing and cannot be installed; the message says which, and what to do.
    pub fn find() -> Result<Self> {
        let version = nightly()?;
        if find("c++").is_none() {
            bail!("fuzzing needs a C++ compiler for libFuzzer, and there is no `c++`: install g++ or clang");
        }
        let program = match find("cargo-fuzz") {
            Some(own) => own,
            None => Cache::open()?.program("cargo-fuzz", VERSION, &[])?,
        };
        let folder = program.parent().context("`cargo-fuzz` stands in no folder")?.to_owned();
        Ok(Self { folder, version })
    }

    /// `cargo fuzz` with the nightly toolchain, at the top of the repository.
    pub fn command(&self) -> Command {
        let mut command = cargo();
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.folder.clone()).chain(env::split_paths(&path));
        // Folders that came out of a PATH go back into one.
        if let Ok(path) = env::join_paths(folders) {
            command.env("PATH", path);
        }
        command.env("RUSTUP_TOOLCHAIN", "nightly").arg("fuzz");
        command
    }
}

fn nightly() -> Result<String> {
    let describe = || {
        output(
            Command::new("rustc")
                .arg("--version")
                .env("RUSTUP_TOOLCHAIN", "nightly"),
        )
    };
    if let Ok(version) = describe() {
        return Ok(version.trim().to_owned());
    }
    say("installing rustup's nightly toolchain: fuzzing needs it");
    run(Command::new("rustup").args(["toolchain", "install", "nightly", "--profile", "minimal"]))
        .context(NO_NIGHTLY)?;
    Ok(describe().context(NO_NIGHTLY)?.trim().to_owned())
}
