//! Nothing unfinished and nothing of one machine is committed.

use std::path::Path;
use std::{env, iter};

use xtask::workspace;

use super::Finding;
use super::source::{SourceFile, names};

/// Words that mark unfinished work, put together here so that this file does not hold them.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
];

/// The one registry that the lock file may name.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let local = local_paths();
    files.iter().flat_map(|file| check_file(file, &local)).collect()
}

fn check_file(file: &SourceFile, local: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut add = |message: String| findings.push(file.finding(index + 1, message));
        if let Some(word) = UNFINISHED.iter().find(|word| names(line, word)) {
            add(format!("`{word}`: finish it or leave it out"));
        }
        if let Some(path) = local.iter().find(|path| line.contains(path.as_str())) {
            add(format!("`{path}` is a path of this machine"));
        }
        let source = line
            .strip_prefix("source = ")
            .filter(|_| file.path.ends_with("Cargo.lock"));
        if let Some(source) = source
            .map(|source| source.trim_matches('"'))
            .filter(|source| *source != REGISTRY)
        {
            add(format!("a dependency from {source}; only crates.io is allowed"));
        }
    }
    findings
}

/// Folders of the machine this runs on: the repository, the folder around it, the user's home and cargo's.
fn local_paths() -> Vec<String> {
    let root = workspace::root();
    let variables = ["HOME", "CARGO_HOME", "CARGO_TARGET_DIR"]
        .into_iter()
        .filter_map(env::var_os)
        .map(Into::into);
    let folders = iter::once(root.to_owned())
        .chain(root.parent().map(Path::to_owned))
        .chain(variables);
    let folders = folders.map(|folder: std::path::PathBuf| format!("{}/", folder.display()));
    folders.filter(|folder| is_telling(folder)).collect()
}

/// Whether a folder says something about one machine; every machine has the others.
fn is_telling(folder: &str) -> bool {
    let common = [
        "/",
        "//",
        "/tmp/",
        "/home/",
        "/usr/",
        "/opt/",
        "/var/",
        "/src/",
        "/var/tmp/",
        "/usr/src/",
    ];
    folder.starts_with('/') && !common.contains(&folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> usize {
        check_file(
            &SourceFile::new(path, text.into()),
            &["/somewhere/checkout/".to_owned()],
        )
        .len()
    }

    #[test]
    fn unfinished_work_is_found() {
        assert_eq!(breaches("a.rs", concat!("// TO", "DO later")), 1);
        assert_eq!(breaches("a.rs", concat!("    unimplemented", "!()")), 1);
        assert_eq!(breaches("a.md", concat!("FIX", "MEUP is another word")), 0);
    }

    #[test]
    fn paths_of_this_machine_are_found() {
        assert_eq!(breaches("README.md", "see /somewhere/checkout/docs"), 1);
        assert_eq!(breaches("README.md", "see /usr/bin/env"), 0);
        assert!(!is_telling("/tmp/") && !is_telling("relative/") && is_telling("/somewhere/"));
    }

    #[test]
    fn the_lock_file_names_only_the_public_registry() {
        assert_eq!(
            breaches("Cargo.lock", "source = \"registry+https://mirror.example/index\""),
            1
        );
        assert_eq!(breaches("Cargo.lock", &format!("source = \"{REGISTRY}\"")), 0);
    }
}
