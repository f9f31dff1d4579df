//! Every Rust file is part of a crate: one that no `mod` names is compiled by nobody.

use super::Finding;
use super::source::{SourceFile, names};

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let rust: Vec<&SourceFile> = files.iter().filter(|file| file.is_rust()).collect();
    let manifests: Vec<&SourceFile> = files.iter().filter(|file| file.path.ends_with("/Cargo.toml")).collect();
    let is_target = |file: &SourceFile| manifests.iter().any(|manifest| names_target(manifest, &file.path));
    let is_orphan = |file: &&&SourceFile| {
        module(&file.path).is_some_and(|(folder, name)| {
            !rust
                .iter()
                .any(|parent| may_declare(&parent.path, folder) && declares(parent, name))
        })
    };
    let orphans = rust.iter().filter(is_orphan).filter(|file| !is_target(file));
    orphans
        .map(|file| file.finding(0, "no `mod` names this file, so nothing compiles it"))
        .collect()
}

/// The folder in which the parent of the module at `path` stands, and the module's name; `None` for a root of a crate.
fn module(path: &str) -> Option<(&str, &str)> {
    let (folder, file) = path.rsplit_once('/')?;
    let name = file.trim_end_matches(".rs");
    if matches!(name, "lib" | "main" | "build") || is_target_folder(folder) {
        return None;
    }
    Some(if name == "mod" {
        folder.rsplit_once('/')?
    } else {
        (folder, name)
    })
}

/// Whether the file at `path` may declare the modules in `folder`.
fn may_declare(path: &str, folder: &str) -> bool {
    let roots = ["mod.rs", "lib.rs", "main.rs"];
    match path.rsplit_once('/') {
        Some((own, file)) if own == folder => roots.contains(&file) || is_target_folder(folder),
        _ => path.strip_suffix(".rs") == Some(folder),
    }
}

/// Whether a manifest makes the file at `path` the root of a program or library.
fn names_target(manifest: &SourceFile, path: &str) -> bool {
    let folder = manifest.path.trim_end_matches("Cargo.toml");
    path.strip_prefix(folder)
        .is_some_and(|rest| manifest.text.contains(&format!("path = \"{rest}\"")))
}

/// Folders in which each file is a program of its own.
fn is_target_folder(folder: &str) -> bool {
    let last = folder.rsplit('/').next().unwrap_or(folder);
    matches!(last, "tests" | "benches" | "examples" | "bin" | "fuzz_targets") && !folder.contains("/src/")
        || folder.ends_with("/src/bin")
}

fn declares(parent: &SourceFile, name: &str) -> bool {
    parent.code.lines().any(|line| names(line, &format!("mod {name};")))
        || parent
            .text
            .lines()
            .any(|line| line.contains("#[path") && line.contains(&format!("{name}.rs")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orphans(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| SourceFile::new(path, (*text).into()))
            .collect();
        check(&files).into_iter().map(|finding| finding.file).collect()
    }

    #[test]
    fn a_file_that_no_module_names_is_found() {
        let files = [("a/src/lib.rs", "mod one;"), ("a/src/one.rs", ""), ("a/src/two.rs", "")];
        assert_eq!(orphans(&files), ["a/src/two.rs"]);
    }

    #[test]
    fn folders_are_declared_by_their_parent() {
        let files = [
            ("a/src/lib.rs", "pub mod one;"),
            ("a/src/one/mod.rs", "mod deep;"),
            ("a/src/one/deep.rs", ""),
        ];
        assert_eq!(orphans(&files), [""; 0]);
        assert_eq!(orphans(&files[1..]), ["a/src/one/mod.rs"]);
    }

    #[test]
    fn integration_tests_are_programs_of_their_own() {
        assert_eq!(
            orphans(&[("a/tests/live.rs", ""), ("a/build.rs", ""), ("a/src/bin/tool.rs", "")]),
            [""; 0]
        );
    }

    #[test]
    fn what_integration_tests_share_is_declared_by_any_of_them() {
        let files = [
            ("a/tests/live.rs", "mod support;"),
            ("a/tests/support/mod.rs", "mod b;"),
            ("a/tests/support/b.rs", ""),
        ];
        assert_eq!(orphans(&files), [""; 0]);
        assert_eq!(orphans(&files[1..]), ["a/tests/support/mod.rs"]);
    }

    #[test]
    fn a_program_that_the_manifest_names_is_a_root() {
        let files = [
            ("a/Cargo.toml", "[[bin]]\npath = \"src/tool.rs\""),
            ("a/src/tool.rs", ""),
        ];
        assert_eq!(orphans(&files), [""; 0]);
        assert_eq!(orphans(&files[1..]), ["a/src/tool.rs"]);
    }
}
