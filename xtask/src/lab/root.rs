//! Tests that need root: they run, or they say by name that they did not.

use std::fs::OpenOptions;
use std::io::Write;
use std::{env, fs};

/// Names the file to which skipped tests append one line each, so that `cargo xtask test` can list them at the end.
pub const SKIP_LOG: &str = "TRIM_SKIP_LOG";

/// The capabilities that namespaces, XDP and AF_XDP need, by their bit (include/uapi/linux/capability.h).
const CAPABILITIES: [(&str, u32); 4] = [
    ("CAP_NET_ADMIN", 12),
    ("CAP_NET_RAW", 13),
    ("CAP_SYS_ADMIN", 21),
    ("CAP_BPF", 39),
];

/// Says which privilege this process lacks for namespaces and XDP; `None` when it has all of them.
pub fn lacking_privilege() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective
        .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
        .unwrap_or(0);
    let lacking: Vec<_> = CAPABILITIES
        .iter()
        .filter(|(_, bit)| effective >> bit & 1 == 0)
        .map(|(name, _)| *name)
        .collect();
    (!lacking.is_empty()).then(|| lacking.join(", "))
}

/// Whether this process may make namespaces and load XDP programs. A test that gets `false` returns at once.
///
/// # Panics
/// Without the privilege, when `CI=true` or `TRIM_REQUIRE_ROOT=1`: there no test may skip.
#[must_use]
pub fn require_root(test: &str) -> bool {
    match lacking_privilege() {
        None => true,
        Some(lacking) => {
            skip(
                test,
                &format!("needs root because it makes network namespaces and loads XDP programs ({lacking} missing)"),
            );
            false
        }
    }
}

/// Records that `test` does not run here, and why.
///
/// # Panics
/// When `CI=true` or `TRIM_REQUIRE_ROOT=1`: there no test may skip.
pub fn skip(test: &str, reason: &str) {
    let line = format!("skipped: {test}: {reason}");
    assert!(
        !must_run(),
        "{line}, and CI=true or TRIM_REQUIRE_ROOT=1 forbids skipping"
    );
    println!("{line}");
    let log = env::var_os(SKIP_LOG).and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
    if let Some(mut log) = log {
        // A log that cannot be written costs the summary a name; the line above has been printed.
        let _ = writeln!(log, "{line}");
    }
}

fn must_run() -> bool {
    let is_set = |name, value| env::var(name).is_ok_and(|set| set == value);
    is_set("CI", "true") || is_set("TRIM_REQUIRE_ROOT", "1")
}
