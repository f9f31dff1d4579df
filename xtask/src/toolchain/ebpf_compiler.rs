//! Which compiler here can make `bpfel-unknown-none`?
//!
//! The first of: the stable compiler in use and the system's `rustc`, when their sysroot has `core` for BPF; Debian's
//! `rustc-web` (see [`super::debian`]); rustup's nightly with `rust-src`, by `-Z build-std`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::cache::Cache;
use super::debian;
use crate::command::{cargo, output, run, say};

/// The target of the XDP program.
pub(crate) const TARGET: &str = "bpfel-unknown-none";

/// A compiler that can build for BPF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiler {
    kind: Kind,
    /// Release and LLVM version, for messages.
    pub version: String,
    /// Major version of the compiler's LLVM; `bpf-linker` must have the same or a later one.
    pub llvm_major: u32,
    /// Prefix of that LLVM's libraries, where a linker can be built against them.
    pub llvm_prefix: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A `rustc` whose sysroot has `core` for BPF.
    ReadyMade(PathBuf),
    /// rustup's nightly, which builds `core` itself.
    Nightly,
}

impl Compiler {
    /// Finds a compiler, installing one when there is none.
    pub(crate) fn find(cache: &Cache) -> Result<Self> {
        for candidate in [PathBuf::from("rustc"), PathBuf::from("/usr/bin/rustc")] {
            if let Some(compiler) = Self::examine(&candidate) {
                return Ok(compiler);
            }
        }
        if let Some(compiler) = debian::compiler(cache)? {
            return Ok(compiler);
        }
        Self::nightly()
    }

    /// The compiler `rustc` when it runs and its sysroot has `core` for BPF.
    pub(crate) fn examine(rustc: &Path) -> Option<Self> {
        let description = output(Command::new(rustc).arg("-vV")).ok()?;
        let sysroot = output(Command::new(rustc).args(["--print", "sysroot"])).ok()?;
        let libraries = Path::new(sysroot.trim()).join("lib/rustlib").join(TARGET).join("lib");
        let has_core = fs::read_dir(libraries)
            .ok()?
            .flatten()
            .any(|entry| is_core(&entry.file_name()));
        has_core
            .then(|| Self::described(Kind::ReadyMade(rustc.to_owned()), &description))
            .flatten()
    }

    fn nightly() -> Result<Self> {
        let describe = || output(Command::new("rustc").args(["+nightly", "-vV"]));
        if !nightly_has_source() {
            say("installing rustup's nightly toolchain with rust-src: no compiler here can make BPF code");
            let install = [
                "toolchain",
                "install",
                "nightly",
                "--profile",
                "minimal",
                "--component",
                "rust-src",
            ];
            run(Command::new("rustup").args(install)).context(NO_COMPILER)?;
        }
        if !nightly_has_source() {
            bail!(NO_COMPILER);
        }
        Self::described(Kind::Nightly, &describe()?).context("`rustc +nightly -vV` names no LLVM version")
    }

    fn described(kind: Kind, description: &str) -> Option<Self> {
        let field = |name: &str| {
            description
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .map(str::trim)
        };
        let llvm = field("LLVM version:")?;
        Some(Self {
            kind,
            version: format!("rustc {}, LLVM {llvm}", field("release:")?),
            llvm_major: llvm.split('.').next()?.parse().ok()?,
            llvm_prefix: None,
        })
    }

    /// The same compiler, with the place of its LLVM's libraries.
    pub(crate) fn with_llvm(self, prefix: PathBuf) -> Self {
        Self {
            llvm_prefix: Some(prefix),
            ..self
        }
    }

    /// A `cargo build` command for [`TARGET`] with this compiler, free of settings meant for the host's code.
    pub(crate) fn cargo_build(&self) -> Command {
        let mut command = cargo();
        for name in std::env::vars_os().map(|(name, _)| name).filter(is_build_setting) {
            command.env_remove(name);
        }
        match &self.kind {
            Kind::ReadyMade(rustc) => {
                // aya-ebpf uses one unstable feature, which these stable compilers have.
                command.env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
                command.arg("build");
            }
            Kind::Nightly => {
                command.env_remove("RUSTUP_TOOLCHAIN");
                command.args(["+nightly", "build", "-Z", "build-std=core"]);
            }
        }
        command.args(["--target", TARGET]);
        command
    }
}

const NO_COMPILER: &str = "no compiler here can make code for bpfel-unknown-none. On Debian 12 or later it comes from \
    the package lists (is a mirror reachable?); elsewhere run `rustup toolchain install nightly --component rust-src`";

fn is_core(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("libcore-") && name.ends_with(".rlib")
}

fn nightly_has_source() -> bool {
    let sysroot = output(Command::new("rustc").args(["+nightly", "--print", "sysroot"]));
    sysroot.is_ok_and(|at| Path::new(at.trim()).join("lib/rustlib/src/rust/library/core").is_dir())
}

/// Settings of the environment that would reach the BPF build but are meant for the host's.
fn is_build_setting(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let host_only =
        name.starts_with("CARGO_BUILD_") || name.starts_with("CARGO_TARGET_") || name.starts_with("CARGO_PROFILE_");
    let flags = [
        "RUSTC",
        "RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_BOOTSTRAP",
        "CARGO_ENCODED_RUSTFLAGS",
    ];
    (host_only && name != "CARGO_BUILD_JOBS") || flags.contains(&name.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_of_a_compiler_is_read_from_its_description() {
        let description = "rustc 1.96.0\nrelease: 1.96.0\nLLVM version: 22.1.8\n";
        let compiler = Compiler::described(Kind::Nightly, description).unwrap();
        assert_eq!(
            (compiler.llvm_major, compiler.version.as_str()),
            (22, "rustc 1.96.0, LLVM 22.1.8")
        );
        assert_eq!(Compiler::described(Kind::Nightly, "release: 1.0.0\n"), None);
    }

    #[test]
    fn a_compiler_without_core_for_bpf_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let rustc = folder.path().join("rustc");
        let sysroot = folder.path().display();
        let text = format!(
            "#!/bin/sh\n[ $1 = -vV ] && printf 'release: 1.96.0\\nLLVM version: 22.1.8\\n' || echo {sysroot}\n"
        );
        super::super::cache::write_script(&rustc, &text).unwrap();
        assert_eq!(Compiler::examine(&rustc), None);

        let libraries = folder.path().join("lib/rustlib").join(TARGET).join("lib");
        fs::create_dir_all(&libraries).unwrap();
        fs::write(libraries.join("libcore-1234.rlib"), "").unwrap();
        assert_eq!(Compiler::examine(&rustc).unwrap().llvm_major, 22);
    }

    #[test]
    fn settings_for_the_host_do_not_reach_the_bpf_build() {
        for name in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_PROFILE_RELEASE_LTO", "RUSTC"] {
            assert!(is_build_setting(&name.into()), "{name}");
        }
        for name in ["CARGO_HOME", "CARGO_BUILD_JOBS", "CARGO_NET_OFFLINE"] {
            assert!(!is_build_setting(&name.into()), "{name}");
        }
    }
}
