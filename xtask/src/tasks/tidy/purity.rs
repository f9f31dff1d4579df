//! Deciding code does no I/O and takes time as an argument, so that any decision can be replayed in a test.

use super::Finding;
use super::source::{SourceFile, names};

const PURE: [&str; 7] = [
    "trim-common/src",
    "trim-user/src/http",
    "trim-user/src/packet",
    "trim-user/src/trimmer",
    "trim-user/src/control/alert/engine",
    "trim-user/src/control/health",
    "trim-user/src/control/rollout",
];

/// What reaches outside, and the clocks. `Duration` is a value and allowed.
const IMPURE: [&str; 17] = [
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "Instant",
    "SystemTime",
    "libc",
    "rustix",
    "tokio",
    "tracing",
    "println!",
    "eprintln!",
    "crate::kernel",
    "jiff",
];

pub(super) fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let pure = files
        .iter()
        .filter(|file| file.is_rust() && PURE.iter().any(|place| file.is_under(place)));
    for file in pure {
        for (number, line) in file.lines_before_tests() {
            if let Some(name) = IMPURE.iter().find(|name| names(line, name)) {
                let message = format!("`{name}` in code that does no I/O and takes time as an argument");
                findings.push(file.finding(number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(path: &str, text: &str) -> usize {
        check(&[SourceFile::new(path, text.into())]).len()
    }

    #[test]
    fn pure_code_reads_no_clock_and_no_file() {
        assert_eq!(
            breaches("trim-user/src/http/framing.rs", "let now = Instant::now();"),
            1
        );
        assert_eq!(breaches("trim-user/src/trimmer/legacy.rs", "use std::fs::File;"), 1);
        assert_eq!(breaches("trim-user/src/control/health/cpu.rs", "println!(\"{x}\");"), 1);
        assert_eq!(
            breaches("trim-user/src/packet/mod.rs", "use std::time::Duration; // no Instant"),
            0
        );
        assert_eq!(breaches("trim-user/src/data/worker.rs", "let now = Instant::now();"), 0);
    }

    #[test]
    fn the_tests_of_pure_code_may_read_files() {
        assert_eq!(
            breaches(
                "trim-user/src/http/framing.rs",
                "#[cfg(test)]\nmod tests { use std::fs; }"
            ),
            0
        );
    }
}
