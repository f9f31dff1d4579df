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
        let folder = match find("cargo-fuzz") {
            Some(own) => own
                .parent()
                .map(PathBuf::from)
                .context("`cargo-fuzz` stands in no folder")?,
            None => installed()?,
        };
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

/// The folder of `cargo-fuzz` in the tool cache, installed first when it is not there.
fn installed() -> Result<PathBuf> {
    let cache = Cache::open()?;
    let name = format!("cargo-fuzz-{VERSION}");
    let place = cache.path(&name);
    if place.join("bin/cargo-fuzz").is_file() {
        return Ok(place.join("bin"));
    }
    say(format!(
        "building cargo-fuzz {VERSION} into {} (about a minute)",
        place.display()
    ));
    let place = cache.install(&name, |at| {
        let work = at.join("work");
        let mut command = cargo();
        command.args(["install", "--quiet", "cargo-fuzz", "--locked", "--version", VERSION]);
        command.arg("--root").arg(at).arg("--target-dir").arg(&work);
        run(&mut command).context("cargo-fuzz could not be built; it needs the crates registry")?;
        std::fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))
    })?;
    Ok(place.join("bin"))
}
