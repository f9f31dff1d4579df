//! The tree of files as it will be on the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command::{find, output, run};
use crate::workspace;

/// Files of the repository and their places.
const FILES: [(&str, &str); 17] = [
    ("config/trim.yaml", "etc/trim/trim.yaml"),
    ("config/lab.yaml", "usr/share/doc/trim/examples/lab.yaml"),
    (
        "config/production/dual_strategy_deployment.yaml",
        "usr/share/doc/trim/examples/dual_strategy_deployment.yaml",
    ),
    ("config/systemd/trim.service", "usr/lib/systemd/system/trim.service"),
    (
        "config/systemd/trim-backup.service",
        "usr/lib/systemd/system/trim-backup.service",
    ),
    (
        "config/systemd/trim-backup.timer",
        "usr/lib/systemd/system/trim-backup.timer",
    ),
    (
        "config/systemd/trim-report@.service",
        "usr/lib/systemd/system/trim-report@.service",
    ),
    (
        "config/systemd/trim-report-weekly.timer",
        "usr/lib/systemd/system/trim-report-weekly.timer",
    ),
    (
        "config/container/Containerfile",
        "usr/share/doc/trim/examples/Containerfile",
    ),
    (
        "config/kubernetes/daemonset.yaml",
        "usr/share/doc/trim/examples/daemonset.yaml",
    ),
    (
        "config/systemd/before-253.conf",
        "usr/share/trim/systemd/before-253.conf",
    ),
    ("config/systemd/trim.sysusers.conf", "usr/lib/sysusers.d/trim.conf"),
    ("config/systemd/trim.tmpfiles.conf", "usr/lib/tmpfiles.d/trim.conf"),
    ("config/debian/copyright", "usr/share/doc/trim/copyright"),
    ("README.md", "usr/share/doc/trim/README.md"),
    ("docs/licenses/LICENSE-APACHE", "usr/share/doc/trim/LICENSE-APACHE"),
    ("docs/licenses/LICENSE-MIT", "usr/share/doc/trim/LICENSE-MIT"),
];

/// What the program itself writes for each shell, and where the shell looks for it.
const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "usr/share/bash-completion/completions/trim"),
    ("zsh", "usr/share/zsh/vendor-completions/_trim"),
    ("fish", "usr/share/fish/vendor_completions.d/trim.fish"),
];

/// Lays out everything below `root`.
pub(super) fn stage(binary: &Path, root: &Path) -> Result<()> {
    let program = root.join("usr/bin/trim");
    copy(binary, &program)?;
    strip(&program)?;
    for (source, target) in FILES {
        copy(&workspace::root().join(source), &root.join(target))?;
    }
    documents(&root.join("usr/share/doc/trim"))?;
    for (shell, target) in COMPLETIONS {
        let script = output(Command::new(binary).args(["completions", shell]))?;
        write(&root.join(target), script.as_bytes())?;
    }
    manual(binary, &root.join("usr/share/man/man1"))?;
    set_modes(root)
}

fn documents(folder: &Path) -> Result<()> {
    for path in entries(&workspace::root().join("docs"))? {
        if path.extension().is_some_and(|extension| extension == "md") {
            copy(&path, &folder.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

fn manual(binary: &Path, folder: &Path) -> Result<()> {
    run(Command::new(binary).args(["man", "--directory"]).arg(folder))?;
    run(Command::new("gzip")
        .args(["--best", "--no-name"])
        .args(entries(folder)?))
}

/// Line tables go, the names of functions stay for backtraces and profiles.
fn strip(program: &Path) -> Result<()> {
    match find("strip") {
        Some(strip) => run(Command::new(strip).arg("--strip-debug").arg(program)),
        None => Ok(()),
    }
}

/// Independent of this process's umask: everybody may read, programs may be run, the configuration is for its owner
/// until its group is known (tmpfiles.d).
fn set_modes(path: &Path) -> Result<()> {
    let mode = if path.is_dir() || path.ends_with("usr/bin/trim") {
        0o755
    } else if path.ends_with("etc/trim/trim.yaml") {
        0o640
    } else {
        0o644
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))?;
    if path.is_dir() {
        entries(path)?.iter().try_for_each(|entry| set_modes(entry))?;
    }
    Ok(())
}

/// What is in a folder, in order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = || format!("cannot list {}", folder.display());
    let list = fs::read_dir(folder).with_context(failed)?;
    let mut paths = list
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(failed)?;
    paths.sort();
    Ok(paths)
}

/// All files below `root`, as paths from there, in order.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)? {
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root)?.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}

fn copy(source: &Path, target: &Path) -> Result<()> {
    let bytes = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
    write(target, &bytes)
}

/// Writes a file and makes the folders above it.
pub(super) fn write(target: &Path, bytes: &[u8]) -> Result<()> {
    let folder = target.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(target, bytes))
        .with_context(|| format!("cannot write {}", target.display()))
}
