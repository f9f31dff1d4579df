//! `cargo xtask tidy`: the invariants of `docs/architecture.md` that the compiler does not check, on source text.

mod layout;
mod licences;
mod markers;
mod modules;
mod purity;
mod size;
mod source;
mod unsafety;
mod wings;

use std::fmt;
use std::process::Command;

use anyhow::{Result, bail};
use xtask::command::{output, say};
use xtask::workspace;

use source::SourceFile;

/// Check the invariants of the architecture and the house rules on the source text.
#[derive(clap::Args)]
pub(crate) struct Options {}

/// One breach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    /// Counts from 1; 0 speaks of the whole file.
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.file, self.message),
            line => write!(out, "{}:{line}: {}", self.file, self.message),
        }
    }
}

type Rule = fn(&[SourceFile]) -> Vec<Finding>;

const RULES: [Rule; 7] = [
    wings::check,
    purity::check,
    unsafety::check,
    size::check,
    modules::check,
    layout::check,
    markers::check,
];

pub(crate) fn run_task(_options: &Options) -> Result<()> {
    let files = files()?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&files)).collect();
    findings.extend(licences::check()?);
    findings.sort();
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings in {} files looked at", findings.len(), files.len());
    }
    say(format!("tidy: {} files looked at, nothing found", files.len()));
    Ok(())
}

/// The files that are in the repository or about to be.
fn files() -> Result<Vec<SourceFile>> {
    let listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let listing = output(Command::new("git").args(listed).current_dir(workspace::root()))?;
    let mut files = Vec::new();
    for path in listing.split('\0').filter(|path| !path.is_empty()) {
        // A file deleted but not yet committed is still listed.
        if let Ok(bytes) = std::fs::read(workspace::root().join(path)) {
            files.push(SourceFile::new(path, bytes));
        }
    }
    Ok(files)
}
