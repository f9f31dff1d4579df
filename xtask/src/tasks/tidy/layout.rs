//! The top level is fixed, and only text is committed.

use super::Finding;
use super::source::SourceFile;

const TOP: [&str; 10] = [
    "Cargo.toml",
    "Cargo.lock",
    "trim-ebpf",
    "trim-user",
    "trim-common",
    "config",
    "bench",
    "docs",
    "xtask",
    "README.md",
];

/// Folders that may hold captures and other inputs of tests.
const BINARY_FOLDERS: [&str; 3] = ["corpus/", "cases/", "captures/"];
/// Pictures that documents show, and nothing else.
const PICTURES: &str = "docs/images/";
/// Largest picture, bytes.
const PICTURE_BYTES: usize = 150_000;

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        let top = file.path.split('/').next().unwrap_or(&file.path);
        if !top.starts_with('.') && !TOP.contains(&top) {
            findings.push(file.finding(
                0,
                format!("`{top}` at the top level, which is fixed: {}", TOP.join(" ")),
            ));
        }
        let is_binary = file.text.is_empty() && !file.bytes.is_empty();
        let is_picture =
            file.path.starts_with(PICTURES) && file.bytes.starts_with(b"\x89PNG") && file.bytes.len() <= PICTURE_BYTES;
        let may_be_binary = is_picture || BINARY_FOLDERS.iter().any(|folder| file.path.contains(folder));
        if file.bytes.starts_with(b"\x7fELF") || (is_binary && !may_be_binary) {
            findings.push(file.finding(0, "a binary file; build it when it is needed"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, bytes: &[u8]) -> usize {
        check(&[SourceFile::new(path, bytes.to_vec())]).len()
    }

    #[test]
    fn the_top_level_is_fixed() {
        assert_eq!(breaches("scripts/run.sh", b"x"), 1);
        assert_eq!(breaches("NOTES.md", b"x"), 1);
        assert_eq!(breaches("xtask/src/main.rs", b"x"), 0);
        assert_eq!(breaches(".ci/run", b"x"), 0);
    }

    #[test]
    fn objects_are_not_committed() {
        assert_eq!(breaches("trim-ebpf/trim.o", b"\x7fELF\x02\x01\x01\0\0"), 1);
        assert_eq!(breaches("trim-user/tests/corpus/object", b"\x7fELF\x02\x01\x01\0\0"), 1);
        assert_eq!(breaches("docs/picture.png", b"\x89PNG\0"), 1);
        assert_eq!(breaches("docs/images/program", b"\x7fELF\0"), 1);
        assert_eq!(breaches("docs/images/page.png", b"\x89PNG\0"), 0);
        let large = [b"\x89PNG\0".as_slice(), &vec![0; PICTURE_BYTES]].concat();
        assert_eq!(breaches("docs/images/page.png", &large), 1);
        assert_eq!(breaches("trim-user/tests/corpus/one.pcap", b"\xd4\xc3\xb2\xa1\0\0"), 0);
    }
}
