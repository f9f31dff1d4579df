//! The tree as a tarball.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::run;

/// Packs the folder `root` with its name into `directory`.
pub(super) fn pack(root: &Path, directory: &Path, time: u64) -> Result<PathBuf> {
    let name = root.file_name().context("the tree has a name")?;
    let tarball = directory.join(format!("{}.tar.gz", name.to_string_lossy()));
    let mut command = Command::new("tar");
    command
        .args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"])
        .arg(format!("--mtime=@{time}"))
        // gzip alone would write the time of packing.
        .args(["--use-compress-program", "gzip --no-name", "--file"])
        .arg(&tarball)
        .arg("--directory")
        .arg(root.parent().context("the tree is in a folder")?)
        .arg(name);
    run(&mut command)?;
    Ok(tarball)
}
