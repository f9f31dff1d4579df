//! `unsafe` has an address and an argument. Clippy asks for the argument too, but does not see code for BPF.

use super::Finding;
use super::source::{SourceFile, names};

/// Where `unsafe` may stand.
const PLACES: [&str; 4] = [
    "trim-user/src/kernel",
    "trim-common/src/pod.rs",
    "trim-ebpf/src",
    "trim-user/tests/support/allocator.rs",
];

/// The argument stands at most so many lines above: a multi-line statement may begin there.
const REACH: usize = 3;

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    files
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(check_file)
        .collect()
}

fn check_file(file: &SourceFile) -> Vec<Finding> {
    let allowed = PLACES.iter().any(|place| file.is_under(place));
    let original: Vec<&str> = file.text.lines().collect();
    let mut findings = Vec::new();
    for (index, _) in file.code.lines().enumerate().filter(|(_, line)| uses_unsafe(line)) {
        if !allowed {
            findings.push(file.finding(index + 1, format!("`unsafe` belongs in {}", PLACES.join(", "))));
        } else if !is_argued(&original, index) {
            findings.push(file.finding(
                index + 1,
                "`unsafe` without a SAFETY comment that says what makes it sound",
            ));
        }
    }
    findings
}

/// Attributes such as `#[unsafe(no_mangle)]` and pointer types (`unsafe extern "C" fn()`) do nothing by themselves.
fn uses_unsafe(line: &str) -> bool {
    names(line, "unsafe") && !line.contains("#[unsafe(") && !line.contains("unsafe extern")
}

fn is_argued(lines: &[&str], index: usize) -> bool {
    let has_word = |line: &str| line.contains("SAFETY") || line.contains("# Safety");
    let is_comment = |line: &str| line.trim_start().starts_with("//") || line.trim_start().starts_with("#[");
    let above = lines[..index].iter().rev();
    let mut code_lines = 0;
    has_word(lines.get(index).copied().unwrap_or_default())
        || above
            .take_while(|line| {
                code_lines += usize::from(!is_comment(line));
                code_lines <= REACH
            })
            .any(|line| has_word(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> Vec<usize> {
        check(&[SourceFile::new(path, text.into())])
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn unsafe_stands_only_in_its_places() {
        let argued = "// SAFETY: the pointer is in bounds.\nunsafe { *p }\n";
        assert_eq!(breaches("trim-user/src/http/scan.rs", argued), [2]);
        assert_eq!(breaches("trim-user/src/kernel/xsk/umem.rs", argued), [0; 0]);
        assert_eq!(
            breaches("trim-user/src/lib.rs", "#![deny(unsafe_code)] // no unsafe here"),
            [0; 0]
        );
    }

    #[test]
    fn unsafe_without_an_argument_is_found() {
        assert_eq!(breaches("trim-ebpf/src/ctx.rs", "let x =\n unsafe { *p };"), [2]);
        let far = "// SAFETY: long ago.\na;\nb;\nc;\nd;\nunsafe { *p }\n";
        assert_eq!(breaches("trim-ebpf/src/ctx.rs", far), [6]);
    }

    #[test]
    fn a_documented_unsafe_function_is_argued() {
        assert_eq!(
            breaches(
                "trim-ebpf/src/ctx.rs",
                "/// # Safety\n/// `p` is valid.\n#[inline]\nunsafe fn f() {}"
            ),
            [0; 0]
        );
    }
}
