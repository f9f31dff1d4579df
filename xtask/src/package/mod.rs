//! Packages: one tree of files, as a Debian package and as a tarball.
//!
//! Equal inputs make equal packages: order, owners, modes and times of the files are fixed.

mod deb;
mod tarball;
mod tree;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{find, output, say};
use crate::workspace;

/// The version of what is packed.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packages {
    /// The tree from `/` on, below a folder that names version and machine.
    pub tarball: PathBuf,
    /// The Debian package; `None` where there is no `dpkg-deb` to make it.
    pub deb: Option<PathBuf>,
}

/// Packs `binary` and everything that goes with it into `directory`; `time` (seconds since 1970) becomes the time of
/// every file.
///
/// # Errors
/// When the binary does not run here (it writes its own manual pages), a file cannot be read or written, or a program
/// that packs fails.
pub fn make(binary: &Path, directory: &Path, time: u64) -> Result<Packages> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let work = tempfile::tempdir_in(directory).context("cannot make a folder to stage files in")?;
    let root = work.path().join(format!("trim-{VERSION}-{}-linux", env::consts::ARCH));
    tree::stage(binary, &root)?;
    let tarball = tarball::pack(&root, directory, time)?;
    let deb = if find("dpkg-deb").is_some() {
        Some(deb::pack(&root, directory, time)?)
    } else {
        say("no Debian package: this system has no dpkg-deb (package dpkg)");
        None
    };
    Ok(Packages { tarball, deb })
}

/// The time to give the files: `SOURCE_DATE_EPOCH`, else that of the last commit.
///
/// # Errors
/// When the variable is no number, or when there is neither it nor a repository.
pub fn source_time() -> Result<u64> {
    let text = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => output(
            Command::new("git")
                .args(["log", "-1", "--format=%ct"])
                .current_dir(workspace::root()),
        )
        .context("no commit to take the time of files from: set SOURCE_DATE_EPOCH (seconds since 1970)")?,
    };
    let text = text.trim();
    text.parse()
        .with_context(|| format!("SOURCE_DATE_EPOCH: `{text}` is not a number of seconds since 1970"))
}
