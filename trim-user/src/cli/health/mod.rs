//! `trim health`.

mod outlook;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{DaemonArgs, Exit, output};
use crate::config::Layers;
use crate::control::client::Client;
use crate::control::health::{Dimension, Health, Level, Measure, Value, Verdict};
use crate::control::operator::View;

/// Time between two looks with `--watch`.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Show every measure with its limits
    #[arg(long)]
    full: bool,
    /// Look again and again, until interrupted
    #[arg(long)]
    watch: bool,
    /// Check the configuration as well: this file, or all that a start would read
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    check_config: Option<Option<PathBuf>>,
}

pub(super) fn run(args: &HealthArgs) -> anyhow::Result<Exit> {
    if let Some(file) = &args.check_config {
        let files: Vec<PathBuf> = file.iter().cloned().collect();
        Layers::standard(&files).load()?;
        if !args.daemon.json {
            output::text("configuration good\n")?;
        }
    }
    let client = Client::new(&args.daemon.socket());
    loop {
        let view = client.health()?;
        if args.daemon.json {
            output::json(&view)?;
        } else {
            output::text(&render(&view, args.full))?;
        }
        if !args.watch {
            return Ok(exit(&view));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Not healthy is what fails, and what nobody knows.
fn exit(view: &View) -> Exit {
    match &view.health {
        Some(health) if health.level == Level::Healthy && health.verdict != Verdict::NoData => Exit::Good,
        _ => Exit::No,
    }
}

fn render(view: &View, full: bool) -> String {
    let Some(health) = &view.health else {
        return "nothing measured yet; the first sample comes after one interval\n".to_owned();
    };
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "health        {} ({})", level(health), verdict(health.verdict));
    for dimension in &health.dimensions {
        render_dimension(&mut text, dimension, full);
    }
    if full {
        outlook::render(&mut text, view);
    }
    text
}

fn render_dimension(text: &mut String, dimension: &Dimension, full: bool) {
    let score = dimension.score.map_or("   -".to_owned(), |score| format!("{score:.2}"));
    let _ = writeln!(
        text,
        "  {:<19} {score}  {:<8}  {}",
        dimension.name.name(),
        word(dimension.level),
        verdict(dimension.verdict)
    );
    for reason in &dimension.reasons {
        let _ = writeln!(text, "      {reason}");
    }
    for measure in dimension.measures.iter().filter(|_| full) {
        render_measure(text, measure);
    }
}

fn render_measure(text: &mut String, measure: &Measure) {
    let value = match measure.value {
        Value::Measured(value) => format!("{value:.6}"),
        Value::TooLittle(value) => format!("{value:.6} (on too little)"),
        Value::Missing => "missing".to_owned(),
        Value::NotApplicable => "not applicable".to_owned(),
    };
    let _ = writeln!(
        text,
        "      {:<52} {value:<24} warning {}  critical {}",
        measure.name, measure.limits.warning, measure.limits.critical
    );
}

fn level(health: &Health) -> &'static str {
    word(health.level)
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Healthy => "healthy",
        Level::Warning => "warning",
        Level::Critical => "critical",
    }
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive: too little was measured",
        Verdict::NoData => "no data",
    }
}
