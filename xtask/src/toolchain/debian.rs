//! Debian's compiler for the web packages (`rustc-web`), which brings a ready-made `core` for BPF.
//!
//! Its packages conflict with Debian's own `rustup`, so they are not installed: they are downloaded and unpacked
//! beside everything else, which needs neither root nor the system's consent. `apt-get` checks their signatures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::bpf_linker;
use super::cache::{Cache, write_script};
use super::ebpf_compiler::Compiler;
use crate::command::{find, output, run, say};

const NAME: &str = "rustc-web";
/// Holds the compiler's `core` for `bpfel-unknown-none`; its presence tells which Debian releases serve.
const BPF_CORE_PACKAGE: &str = "libstd-rust-web-dev-bpf";

/// The compiler from the cache, installed first when it is missing or damaged. `None` where no such packages exist.
pub(crate) fn compiler(cache: &Cache) -> Result<Option<Compiler>> {
    let place = cache.path(NAME);
    if let Some(compiler) = usable(&place) {
        return Ok(Some(compiler));
    }
    if ["apt-get", "apt-cache", "dpkg"].iter().any(|tool| find(tool).is_none()) {
        return Ok(None);
    }
    let Some(apt) = Apt::that_offers(BPF_CORE_PACKAGE, &cache.path("apt"))? else {
        return Ok(None);
    };
    let Some(packages) = packages(&apt)? else {
        return Ok(None);
    };
    say(format!(
        "downloading Debian's BPF compiler into {} (about 190 MB): {}",
        place.display(),
        packages.join(" ")
    ));
    let place = cache.install(NAME, |at| unpack(&apt, &packages, at))?;
    match usable(&place) {
        Some(compiler) => Ok(Some(compiler)),
        None => bail!(
            "the compiler unpacked into {} does not run; `{}/rustc -vV` says why",
            place.display(),
            place.display()
        ),
    }
}

/// The compiler at `place` when it is whole: it runs, and its `core` is there.
fn usable(place: &Path) -> Option<Compiler> {
    let compiler = Compiler::examine(&place.join("rustc"))?;
    let llvm = place.join("usr/lib").join(format!("llvm-{}", compiler.llvm_major));
    llvm.join("lib").is_dir().then(|| compiler.with_llvm(llvm))
}

/// The compiler, its BPF `core`, the host's `std` (build scripts run on the host) and the LLVM they were built with.
/// `None` when no `bpf-linker` can be built for that LLVM.
fn packages(apt: &Apt) -> Result<Option<Vec<String>>> {
    let std = apt.dependency("libstd-rust-web-dev", "libstd-rust-web-1")?;
    let llvm_library = apt.dependency(&std, "libllvm")?;
    let llvm = llvm_library.trim_start_matches("libllvm").to_owned();
    if !llvm.parse().is_ok_and(|major| bpf_linker::LLVM.contains(&major)) {
        say(format!(
            "passing over Debian's BPF compiler: bpf-linker cannot be built for its LLVM {llvm}"
        ));
        return Ok(None);
    }
    Ok(Some(vec![
        "rustc-web".to_owned(),
        BPF_CORE_PACKAGE.to_owned(),
        "libstd-rust-web-dev".to_owned(),
        std,
        llvm_library,
        format!("llvm-{llvm}"),
        format!("llvm-{llvm}-dev"),
    ]))
}

fn unpack(apt: &Apt, packages: &[String], at: &Path) -> Result<()> {
    let downloads = at.join("downloads");
    fs::create_dir(&downloads).with_context(|| format!("cannot create {}", downloads.display()))?;
    run(apt
        .command("apt-get")
        .args(["-qq", "download"])
        .args(packages)
        .current_dir(&downloads))
    .context("the BPF compiler's packages could not be downloaded; is a Debian mirror reachable?")?;
    for entry in fs::read_dir(&downloads)? {
        run(Command::new("dpkg").arg("-x").arg(entry?.path()).arg(at))?;
    }
    fs::remove_dir_all(&downloads).with_context(|| format!("cannot remove {}", downloads.display()))?;
    write_script(&at.join("rustc"), &wrapper())
}

/// Runs the unpacked compiler with its own libraries, wherever the cache folder stands.
fn wrapper() -> String {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    format!(
        "#!/bin/sh\nhere=$(dirname \"$(readlink -f \"$0\")\")\n\
         export LD_LIBRARY_PATH=\"$here/usr/lib/{triple}:$here/usr/lib\"\n\
         exec \"$here/usr/bin/rustc\" \"$@\"\n"
    )
}

/// `apt-get` and `apt-cache`, on the system's package lists or on a private copy of them.
struct Apt {
    private_state: Option<PathBuf>,
}

impl Apt {
    /// An `Apt` that can download `package`; lists are fetched into `private` when the system has none that name it.
    fn that_offers(package: &str, private: &Path) -> Result<Option<Self>> {
        let system = Self { private_state: None };
        if system.offers(package)? {
            return Ok(Some(system));
        }
        say(format!(
            "fetching package lists into {} to look for {package}",
            private.display()
        ));
        fs::create_dir_all(private.join("lists/partial"))
            .with_context(|| format!("cannot create {}", private.display()))?;
        let own = Self {
            private_state: Some(private.to_owned()),
        };
        if let Err(error) = run(own.command("apt-get").args(["-q", "update"])) {
            say(format!("{error:#}"));
        }
        Ok(own.offers(package)?.then_some(own))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C");
        // As root, apt-get would download as a user who may not enter the cache folder, and warn about it.
        command.args(["-o", "APT::Sandbox::User=root"]);
        if let Some(state) = &self.private_state {
            command
                .arg("-o")
                .arg(format!("Dir::State::Lists={}", state.join("lists").display()));
            command.arg("-o").arg(format!("Dir::Cache={}", state.display()));
        }
        command
    }

    fn offers(&self, package: &str) -> Result<bool> {
        let policy = output(self.command("apt-cache").args(["policy", package]))?;
        let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
        Ok(candidate.is_some_and(|version| version != "(none)"))
    }

    /// The first package that `package` depends on whose name starts with `prefix`.
    fn dependency(&self, package: &str, prefix: &str) -> Result<String> {
        let listing = output(self.command("apt-cache").args(["show", "--no-all-versions", package]))?;
        named_dependency(&listing, prefix)
            .with_context(|| format!("package {package} names no dependency that starts with {prefix}"))
    }
}

/// Finds a dependency by the start of its name in the output of `apt-cache show`.
fn named_dependency(listing: &str, prefix: &str) -> Option<String> {
    let depends = listing.lines().find_map(|line| line.strip_prefix("Depends: "))?;
    let names = depends
        .split([',', '|'])
        .filter_map(|entry| entry.split_whitespace().next());
    names.map(str::to_owned).find(|name| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_is_found_by_the_start_of_its_name() {
        let listing = "Package: x\nDepends: libc6 (>= 2.36), libllvm22 (>= 1:22.1), libstdc++6\nSize: 1\n";
        assert_eq!(named_dependency(listing, "libllvm").as_deref(), Some("libllvm22"));
        assert_eq!(named_dependency(listing, "libssl"), None);
    }

    #[test]
    fn an_alternative_dependency_counts() {
        assert_eq!(named_dependency("Depends: a | b-1\n", "b-").as_deref(), Some("b-1"));
    }
}
