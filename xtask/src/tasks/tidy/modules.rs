//! Every Rust file is part of a crate: one that no `mod` names is compiled by nobody.

use std::collections::HashMap;

use super::Finding;
use super::source::{SourceFile, names};

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let by_path: HashMap<&str, &SourceFile> = files.iter().map(|file| (file.path.as_str(), file)).collect();
    let is_orphan = |file: &&SourceFile| {
        let parents = parents(&file.path);
        !parents.is_empty()
            && !parents
                .iter()
                .any(|(parent, name)| declares(by_path.get(parent.as_str()), name))
    };
    let orphans = files.iter().filter(|file| file.is_rust()).filter(is_orphan);
    orphans
        .map(|file| file.finding(0, "no `mod` names this file, so nothing compiles it"))
        .collect()
}

/// The files that may declare the module at `path`, with its name; none for the root of a crate.
fn parents(path: &str) -> Vec<(String, String)> {
    let Some((folder, file)) = path.rsplit_once('/') else {
        return Vec::new();
    };
    let name = file.trim_end_matches(".rs");
    let is_root = matches!(name, "lib" | "main" | "build") || is_target_folder(folder);
    if is_root {
        return Vec::new();
    }
    let (folder, name) = match name {
        "mod" => folder.rsplit_once('/').unwrap_or(("", folder)),
        _ => (folder, name),
    };
    let files = ["mod.rs", "lib.rs", "main.rs"].map(|parent| format!("{folder}/{parent}"));
    let named = [format!("{folder}.rs")];
    let siblings = if is_target_folder(folder) {
        vec![format!("{folder}/*")]
    } else {
        Vec::new()
    };
    files
        .into_iter()
        .chain(named)
        .chain(siblings)
        .map(|parent| (parent, name.to_owned()))
        .collect()
}

/// Folders in which each file is a program of its own.
fn is_target_folder(folder: &str) -> bool {
    let last = folder.rsplit('/').next().unwrap_or(folder);
    matches!(last, "tests" | "benches" | "examples" | "bin" | "fuzz_targets") && !folder.contains("/src/")
        || folder.ends_with("/src/bin")
}

fn declares(parent: Option<&&SourceFile>, name: &str) -> bool {
    parent.is_some_and(|parent| {
        parent.code.lines().any(|line| names(line, &format!("mod {name};")))
            || parent
                .text
                .lines()
                .any(|line| line.contains("#[path") && line.contains(&format!("{name}.rs")))
    })
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
}
