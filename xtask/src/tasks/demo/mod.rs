//! `cargo xtask demo`: the product at work on real HTTP, in about a minute.
//!
//! With root: nginx and curl in namespaces, their traffic mirrored to `trim`, which captures it with XDP and AF_XDP
//! while the split is changed and rolled back. Without: `trim file` on a generated capture.

mod appliance;
mod format;
mod live;
mod offline;
mod progress;
mod report;
mod sample;
mod traffic;
mod verify;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use xtask::command::say;
use xtask::lab::lacking_privilege;
use xtask::toolchain::{self, Tool};
use xtask::workspace;

use super::build;

/// Show trim at work on real HTTP traffic, in about a minute.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Print the report as one JSON object on stdout's last line.
    #[arg(long)]
    json: bool,
    /// Keep the untrimmed capture and the log beside the result.
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run_task(options: &Options) -> Result<()> {
    let lacking = lacking_privilege();
    if lacking.is_none() {
        toolchain::ensure_tools(Tool::LABORATORY)?;
    }
    let trim = build::release_binary()?;
    let results = results_folder()?;
    let report = match lacking {
        None => live::run(&trim, &results, options.keep)?,
        Some(lacking) => {
            explain(&lacking);
            offline::run(&trim, &results)?
        }
    };
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", format::text(&report));
    }
    let faults = report.faults();
    ensure!(faults.is_empty(), "the demo shows a fault: {}", faults.join("; "));
    Ok(())
}

/// An empty folder for the results; those of an earlier demo go.
fn results_folder() -> Result<PathBuf> {
    let folder = workspace::target_dir().join("demo");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

fn explain(lacking: &str) {
    say(format!(
        "this process lacks {lacking}: run `sudo -E cargo xtask demo` to see a live capture"
    ));
    say(
        "root is needed to make network namespaces and veth pairs (CAP_SYS_ADMIN, CAP_NET_ADMIN), to load the XDP program (CAP_BPF) and to open AF_XDP sockets (CAP_NET_RAW)",
    );
    say("without it, the demo trims a generated capture file with both strategies");
}
