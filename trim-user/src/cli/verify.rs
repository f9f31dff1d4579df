//! `trim verify`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::progress::Progress;
use super::{Exit, output};
use crate::ops::Capture;
use crate::ops::verify::{Matching, Options, VerifyError, judge};
use crate::trimmer::Action;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The capture before trimming (pcap or pcapng, plain, gzip or zstd)
    #[arg(value_name = "ORIGINAL")]
    original: PathBuf,
    /// The capture after trimming
    #[arg(value_name = "TRIMMED")]
    trimmed: PathBuf,
    /// How packets find each other: one by one (`order`), or by flow and header fields (`content`), for captures of the
    /// same traffic at two points
    #[arg(long = "match", value_enum, value_name = "HOW", default_value_t = MatchArg::Order)]
    matching: MatchArg,
    /// The first N bytes of each message body may be there
    #[arg(long, value_name = "N", default_value_t = 0)]
    body_keep: u32,
    /// Header fields whose values must be overwritten, such as `cookie,authorization`
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    redacted: Vec<String>,
    /// How bytes were removed; without it either way is accepted
    #[arg(long, value_enum)]
    action: Option<ActionArg>,
    /// With `--match content`: packets that only one capture has are failures
    #[arg(long)]
    strict: bool,
    /// Show at most N findings
    #[arg(long, value_name = "N", default_value_t = 20)]
    findings: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MatchArg {
    Order,
    Content,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ActionArg {
    Cut,
    Mask,
}

impl VerifyArgs {
    fn options(&self) -> Options {
        Options {
            matching: match self.matching {
                MatchArg::Order => Matching::Order,
                MatchArg::Content => Matching::Content,
            },
            body_keep: self.body_keep,
            redacted: self.redacted.clone(),
            action: self.action.map(|action| match action {
                ActionArg::Cut => Action::Cut,
                ActionArg::Mask => Action::Mask,
            }),
            strict: self.strict,
            max_findings: self.findings,
        }
    }
}

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<Exit> {
    let original = load(&args.original)?;
    let trimmed = load(&args.trimmed)?;
    let progress = Progress::working("judging every packet");
    let report = judge(&original, &trimmed, &args.options());
    progress.finish();
    match args.json {
        true => output::json(&report)?,
        false => output::text(&report.to_string())?,
    }
    Ok(if report.is_good() { Exit::Good } else { Exit::No })
}

fn load(path: &Path) -> Result<Capture, VerifyError> {
    let progress = Progress::new();
    let capture = Capture::load_watched(path, |reader, position| progress.reading(reader, position));
    progress.finish();
    Ok(capture?)
}
