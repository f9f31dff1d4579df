//! `trim diag`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Exit, output};
use crate::config::Config;
use crate::ops::diag::{self, Archive, Collected, Daemon, Part, Severity, Sources, Wanted};

#[derive(Debug, Args)]
pub(super) struct DiagArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Put what is needed for a diagnosis into one archive, with the daemon's help or without
    Collect(CollectArgs),
    /// Make a page of an archive: what is wrong, since when, and what to do
    Report(ReportArgs),
}

#[derive(Debug, Args)]
struct CollectArgs {
    /// Where the archive goes
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// The daemon's configuration
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/trim/trim.yaml",
        env = "TRIM_CONFIG"
    )]
    config: PathBuf,
    /// The daemon's socket, when it is not that of the configuration
    #[arg(long, value_name = "PATH", env = "TRIM_SOCKET")]
    socket: Option<PathBuf>,
    /// Take the configuration, without its secrets
    #[arg(long)]
    include_config: bool,
    /// Take samples and histograms, which the plots are made of
    #[arg(long)]
    include_metrics: bool,
    /// How far back samples, events and the log are taken, hours
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u64).range(1..=720))]
    last_hours: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(id = "from", required = true, multiple = false)]
struct From {
    /// The newest archive in this folder
    #[arg(long, value_name = "DIR", group = "from")]
    input_dir: Option<PathBuf>,
    /// This archive
    #[arg(long, value_name = "FILE", group = "from")]
    input: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ReportArgs {
    #[command(flatten)]
    from: From,
    /// The page
    #[arg(long, value_name = "FILE")]
    output_file: PathBuf,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &DiagArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Collect(args) => collect(args),
        Command::Report(args) => report(args),
    }
}

fn collect(args: &CollectArgs) -> anyhow::Result<Exit> {
    let settings = Config::load(&args.config)
        .map(Box::new)
        .map_err(|error| error.to_string());
    let socket = args.socket.clone().unwrap_or_else(|| {
        let configured = settings.as_ref().map(|config| config.control_socket.clone());
        configured.unwrap_or_else(|_| PathBuf::from("/run/trim/trim.sock"))
    });
    let sources = Sources {
        socket,
        config: args.config.clone(),
        settings,
    };
    let wanted = Wanted {
        config: args.include_config,
        metrics: args.include_metrics,
        hours: args.last_hours,
    };
    let bar = indicatif::ProgressBar::new_spinner();
    let step = |what: &str| {
        bar.set_message(format!("collecting: {what}"));
        bar.tick();
    };
    let (archive, manifest) = diag::collect(&sources, wanted, &args.output_dir, &step)?;
    bar.finish_and_clear();
    if args.json {
        output::json(&serde_json::json!({ "archive": archive.path, "manifest": manifest }))?;
        return Ok(Exit::Good);
    }
    let mut text = format!("{}\n", archive.path.display());
    text += &match &manifest.daemon {
        Daemon::Alive { pid } => format!("the daemon, process {pid}, answered\n"),
        Daemon::Hanging { reason, .. } | Daemon::Dead { reason } => format!("without the daemon: {reason}\n"),
    };
    for (name, part) in &manifest.parts {
        match part {
            Part::Missing { reason } => text += &format!("missing: {name}: {reason}\n"),
            Part::NotAsked { flag } => text += &format!("not asked for: {name} ({flag})\n"),
            Part::Collected { .. } => {}
        }
    }
    output::text(&text)?;
    Ok(Exit::Good)
}

#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    severity: &'a str,
    what: &'a str,
    since_ms: Option<u64>,
    evidence: &'a str,
    cure: &'a str,
}

fn report(args: &ReportArgs) -> anyhow::Result<Exit> {
    let archive = match (&args.from.input, &args.from.input_dir) {
        (Some(path), _) => Archive { path: path.clone() },
        (None, folder) => Archive::newest(folder.as_deref().unwrap_or(Path::new(".")))?,
    };
    let collected = Collected::of(&archive.path, &archive.read()?)?;
    write(&args.output_file, &diag::page(&collected))?;
    let found = diag::findings(&collected);
    if args.json {
        let told = found.iter().map(|finding| Told {
            name: finding.name,
            severity: finding.severity.name(),
            what: &finding.what,
            since_ms: finding.since.map(|since| since.0),
            evidence: &finding.evidence,
            cure: &finding.cure,
        });
        output::json(&told.collect::<Vec<_>>())?;
    } else {
        let mut text = String::new();
        for finding in &found {
            text += &format!("{:<8}  {}\n", finding.severity.name(), finding.what);
        }
        text += &format!(
            "{} findings, from {}: {}\n",
            found.len(),
            archive.path.display(),
            args.output_file.display()
        );
        output::text(&text)?;
    }
    let is_bad = found.iter().any(|finding| finding.severity < Severity::Info);
    Ok(if is_bad { Exit::No } else { Exit::Good })
}

fn write(path: &Path, page: &str) -> anyhow::Result<()> {
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}
