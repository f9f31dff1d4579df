//! `trim logs`.

mod journal;

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use regex::Regex;

use super::{Exit, output};
use crate::config::{Config, Span};
use crate::telemetry::logging::{Entry, Files, Level, LogTo};

/// Pause between two looks at a log that is followed.
const PAUSE: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct LogsArgs {
    /// The configuration of the daemon, which says where it logs to
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/trim/trim.yaml",
        env = "TRIM_CONFIG"
    )]
    config: PathBuf,
    /// Read the log files in this folder instead
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Go on with lines as they come
    #[arg(long, short)]
    follow: bool,
    /// Only lines at least this serious: error, warn, info, debug
    #[arg(long, value_name = "LEVEL", value_parser = Level::parse)]
    level: Option<Level>,
    /// Only lines of the last while, such as 1h or 30m
    #[arg(long, value_name = "TIME", value_parser = |text: &str| Span::parse(text).map(|span| span.0))]
    since: Option<Duration>,
    /// Only lines that this regular expression matches
    #[arg(long, value_name = "REGEX", value_parser = |text: &str| Regex::new(text))]
    grep: Option<Regex>,
    /// Print each line as a JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &LogsArgs) -> anyhow::Result<Exit> {
    let wanted = Wanted::new(args);
    if let Some(directory) = &args.directory {
        return files(directory.clone(), args, &wanted);
    }
    let logging = Config::load(&args.config)
        .with_context(|| "the configuration says where the log is; `--config` or `--directory` names another")?
        .logging;
    match logging.to {
        LogTo::File => files(logging.directory, args, &wanted),
        LogTo::Journald => journal::show(args, &wanted),
        LogTo::Stderr => bail!(
            "{} logs to standard error: its lines are where whoever started the daemon sends them. \
             Under systemd that is `journalctl -u trim`; `logging.to: file` or `journald` make `trim logs` find them",
            args.config.display()
        ),
    }
}

fn files(directory: PathBuf, args: &LogsArgs, wanted: &Wanted<'_>) -> anyhow::Result<Exit> {
    let files = Files::find(&directory)?;
    if files.is_empty() && !args.follow {
        bail!("there is no log in {}: has the daemon ever run?", directory.display());
    }
    let mut last = false;
    let mut show = |entry: Entry| {
        // A line without a time belongs to the one before it.
        last = wanted.has(&entry, last);
        if last { print(&entry, args.json) } else { Ok(()) }
    };
    let mut follow = files.read(&mut show)?;
    if !args.follow {
        return Ok(Exit::Good);
    }
    loop {
        thread::sleep(PAUSE);
        follow.more(&mut show)?;
    }
}

/// Which lines are asked for.
struct Wanted<'a> {
    least: Option<Level>,
    from: Option<Timestamp>,
    grep: Option<&'a Regex>,
}

impl<'a> Wanted<'a> {
    fn new(args: &'a LogsArgs) -> Self {
        let from = args.since.and_then(|since| Timestamp::now().checked_sub(since).ok());
        Self {
            least: args.level,
            from,
            grep: args.grep.as_ref(),
        }
    }

    fn has(&self, entry: &Entry, last: bool) -> bool {
        if entry.at.is_none() && entry.level.is_none() {
            return last;
        }
        let is_serious = self
            .least
            .is_none_or(|least| entry.level.is_some_and(|level| level <= least));
        let is_new = self.from.is_none_or(|from| entry.at.is_some_and(|at| at >= from));
        is_serious && is_new && self.grep.is_none_or(|grep| grep.is_match(&entry.text))
    }
}

fn print(entry: &Entry, as_json: bool) -> anyhow::Result<()> {
    if !as_json || entry.text.starts_with('{') {
        return output::text(&format!("{}\n", entry.text));
    }
    output::json(&serde_json::json!({
        "timestamp": entry.at.map(|at| at.to_string()),
        "level": entry.level.map(Level::name),
        "text": entry.text,
    }))
}
