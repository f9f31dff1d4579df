//! `trim config validate`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::{Exit, doctor, output};
use crate::cli::layers::assignment;
use crate::config::{ConfigError, Layers, Problem};
use crate::ops::doctor::check_start;
use crate::ops::finding::Finding;

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// The file instead of /etc/trim/trim.yaml; each further one is laid over the ones before, as with `trim run --config`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Set one key, such as capture.ring_size=4096, over all files and the environment; may be given more than once
    #[arg(long, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// Check the machine, too: interfaces, cores, memory, directories, alert channels, Elasticsearch. Nothing is changed
    #[arg(long)]
    test_mode: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found, for programs.
#[derive(Default, Serialize)]
struct Answer {
    /// Whether a capture can be started with it, as far as it was looked at.
    valid: bool,
    /// The layers that were read, the lowest first.
    layers: Vec<String>,
    problems: Vec<Shown>,
    /// What `--test-mode` found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
}

/// A problem for programs.
#[derive(Serialize)]
struct Shown {
    /// The file, variable or flag.
    source: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
    key: Option<String>,
    message: String,
}

impl From<&Problem> for Shown {
    fn from(problem: &Problem) -> Self {
        let known = |number: u64| (number > 0).then_some(number);
        Self {
            source: problem.source.as_ref().map(ToString::to_string),
            line: known(problem.line),
            column: known(problem.column),
            key: problem.key.clone(),
            message: problem.message.clone(),
        }
    }
}

pub(super) fn run(args: &ValidateArgs) -> anyhow::Result<Exit> {
    let set = |layers: Layers, (key, text): &(String, String)| layers.with_flag("--set", key, text);
    let layers = args.set.iter().fold(Layers::standard(&args.files), set);
    let loaded = match layers.load() {
        Ok(loaded) => loaded,
        Err(error) => return refuse(args, &error),
    };
    let report = args.test_mode.then(|| check_start(&loaded.config));
    let is_fit = report.as_ref().is_none_or(|report| report.is_fit());
    let sources: Vec<String> = loaded.sources.iter().map(ToString::to_string).collect();
    if args.json {
        output::json(&Answer {
            valid: is_fit,
            layers: sources,
            problems: Vec::new(),
            findings: report.map(|report| report.findings).unwrap_or_default(),
        })?;
    } else {
        let from = match sources.as_slice() {
            [] => "nothing is configured: everything is as it is by default".to_owned(),
            some => some.join(", "),
        };
        let mut text = format!("valid: {from}\n");
        if let Some(report) = &report {
            text.push_str(&doctor::render(report));
        }
        output::text(&text)?;
    }
    Ok(if is_fit { Exit::Good } else { Exit::No })
}

/// Problems are the answer here, so they go where answers go, and nothing else does.
fn refuse(args: &ValidateArgs, error: &ConfigError) -> anyhow::Result<Exit> {
    let problems: Vec<Shown> = match error {
        ConfigError::Invalid { problems } => problems.iter().map(Shown::from).collect(),
        ConfigError::Read { .. } | ConfigError::Sealed(_) => vec![Shown {
            source: error.file().map(|file| file.display().to_string()),
            line: None,
            column: None,
            key: None,
            message: error.to_string(),
        }],
    };
    if args.json {
        output::json(&Answer {
            problems,
            ..Answer::default()
        })?;
    } else {
        let count = problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        output::text(&format!("{error}\nnot valid: {count} {noun}\n"))?;
    }
    Ok(Exit::BadInput)
}
