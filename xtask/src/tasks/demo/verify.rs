//! `trim verify`: the untrimmed capture against the trimmed one.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use xtask::command::line;

/// The part of its answer that the demo shows.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Verdict {
    /// Nothing that must stay has changed.
    pub(super) faithful: bool,
    /// Packets of the original without a partner.
    pub(super) missing: u64,
    /// Header bytes changed or gone.
    pub(super) header_bytes_lost: u64,
    /// Body bytes that should be gone.
    pub(super) body_bytes_leaked: u64,
    /// What is wrong, at most a few.
    findings: Vec<Finding>,
}

#[derive(Clone, Debug, Deserialize)]
struct Finding {
    packet: Option<u64>,
    fault: String,
    detail: String,
}

impl Verdict {
    /// The first finding in words; `None` when the capture is faithful.
    pub(super) fn unfaithful(&self) -> Option<String> {
        let first = self.findings.first();
        let words = first.map(|finding| {
            let packet = finding
                .packet
                .map_or_else(String::new, |packet| format!("packet {packet}: "));
            format!("{packet}{} {}", finding.fault, finding.detail)
        });
        (!self.faithful).then(|| words.unwrap_or_default().trim().to_owned())
    }
}

/// Compares two captures; `match_by` is `order`, or `content` for captures from two places, whose times differ.
pub(super) fn compare(trim: &Path, original: &Path, trimmed: &Path, match_by: &str) -> Result<Verdict> {
    let mut command = Command::new(trim);
    command
        .args(["verify", "--json", "--match", match_by])
        .arg(original)
        .arg(trimmed);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", line(&command)))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    // 1 is the answer "not faithful or not clean", which the numbers say better.
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "`{}` failed: {}",
        line(&command),
        stderr.trim()
    );
    let stdout = String::from_utf8_lossy(&output.stdout);
    let answer = stdout.lines().last().context("`trim verify --json` printed nothing")?;
    serde_json::from_str(answer)
        .with_context(|| format!("the answer of `trim verify --json` is not as expected: {answer}"))
}
