//! The demo without root: `trim file` on a generated capture, checked by `trim verify`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;
use xtask::command::{output, say};
use xtask::lab::Folder;

use super::report::{Bytes, Http, Packets, Report, Strategies, Strategy, Witness};
use super::sample::Capture;
use super::verify;

/// What `trim file --stats --json` prints.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Statistics {
    packets: Packets,
    bytes: Bytes,
    http: Http,
    flows: u64,
}

/// Trims the capture with both strategies; the result of `legacy` is the demo's output.
pub(super) fn run(trim: &Path, results: &Path) -> Result<Report> {
    let folder = Folder::new("sample")?;
    let original = folder.path().join("original.pcap");
    std::fs::write(&original, Capture::sample().pcap())
        .with_context(|| format!("cannot write {}", original.display()))?;
    let mut runs = Vec::new();
    for strategy in ["legacy", "scanning"] {
        say(format!(
            "trimming a generated capture with `{strategy}`, and comparing the result with the original"
        ));
        runs.push(trimmed(trim, &original, results, strategy)?);
    }
    let [(legacy, legacy_verdict, file), (scanning, scanning_verdict, _)] =
        <[_; 2]>::try_from(runs).ok().context("both strategies give a result")?;
    let side = |statistics: Statistics| Strategy {
        flows: statistics.flows,
        packets: statistics.packets.written,
        latency_ns: None,
    };
    let header_bytes_lost = legacy_verdict.header_bytes_lost + scanning_verdict.header_bytes_lost;
    let packets = legacy.packets;
    Ok(Report {
        balance: packets.seen.cast_signed() - (packets.written + packets.omitted + packets.lost).cast_signed(),
        packets,
        bytes: legacy.bytes,
        http: Http {
            header_bytes_lost,
            ..legacy.http
        },
        strategies: Strategies {
            legacy: side(legacy),
            scanning: side(scanning),
        },
        switch: None,
        xdp_mode: None,
        xsk_mode: None,
        output: file.display().to_string(),
        witness: Witness {
            packets: packets.seen,
            missing: legacy_verdict.missing,
            body_bytes_leaked: legacy_verdict.body_bytes_leaked,
            unfaithful: legacy_verdict.unfaithful().or_else(|| scanning_verdict.unfaithful()),
            ..Witness::default()
        },
        seconds: None,
    })
}

fn trimmed(
    trim: &Path,
    original: &Path,
    results: &Path,
    strategy: &str,
) -> Result<(Statistics, verify::Verdict, PathBuf)> {
    let file = results.join(format!("{strategy}.pcapng"));
    let mut command = Command::new(trim);
    command
        .arg("file")
        .arg(original)
        .arg("-o")
        .arg(&file)
        .args(["--strategy", strategy, "--stats", "--json"]);
    let text = output(&mut command)?;
    let line = text
        .lines()
        .last()
        .context("`trim file --stats --json` printed nothing")?;
    let statistics = serde_json::from_str(line)
        .with_context(|| format!("the statistics of `trim file --json` are not as expected: {line}"))?;
    let verdict = verify::compare(trim, original, &file, "order")?;
    Ok((statistics, verdict, file))
}
