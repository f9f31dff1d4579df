//! What is measured: `trim file`, and the programs that it is compared with.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use trim_user::data::Format;
use trim_user::kernel::child;
use xtask::command;
use xtask::toolchain::Tool;

use super::report::Round;

/// A program that reads a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    /// `trim file`, exact.
    Legacy,
    /// `trim file`, fast.
    Scanning,
    /// Cuts each packet at a fixed length.
    Editcap,
    /// Reads and writes whole packets.
    Tshark,
    /// Reads and does nothing else: how fast bytes come out of memory.
    Cat,
}

impl Program {
    /// All of them, in the order in which they are measured.
    pub(super) const ALL: [Self; 5] = [Self::Legacy, Self::Editcap, Self::Scanning, Self::Cat, Self::Tshark];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "trim legacy",
            Self::Scanning => "trim scanning",
            Self::Editcap => "editcap -s 128",
            Self::Tshark => "tshark -w",
            Self::Cat => "cat",
        }
    }

    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::Legacy => "trim file --strategy legacy, into the format of the input",
            Self::Scanning => "trim file --strategy scanning, into the format of the input",
            Self::Editcap => "into the format of the input; cuts headers that are longer",
            Self::Tshark => "-r IN -w OUT, whole packets, into the format of the input",
            Self::Cat => "to /dev/null",
        }
    }

    pub(super) const fn is_ours(self) -> bool {
        matches!(self, Self::Legacy | Self::Scanning)
    }

    pub(super) const fn writes(self) -> bool {
        !matches!(self, Self::Cat)
    }

    /// The package that holds it, when it is not installed.
    pub(super) fn missing(self) -> Option<Tool> {
        let tool = match self {
            Self::Editcap => Tool::EDITCAP,
            Self::Tshark => Tool::TSHARK,
            Self::Legacy | Self::Scanning | Self::Cat => return None,
        };
        command::find(tool.program).is_none().then_some(tool)
    }

    fn command(self, trim: &Path, format: Format, input: &Path, output: &Path) -> Command {
        let format = format.extension();
        let by_trim = |strategy| {
            let mut command = Command::new(trim);
            command.args(["file", "--strategy", strategy, "--format", format, "--output"]);
            command.arg(output).arg(input);
            command
        };
        match self {
            Self::Legacy => by_trim("legacy"),
            Self::Scanning => by_trim("scanning"),
            Self::Editcap => {
                let mut command = Command::new("editcap");
                command.args(["-s", "128", "-F", format]).arg(input).arg(output);
                command
            }
            Self::Tshark => {
                let mut command = Command::new("tshark");
                command.args(["-F", format, "-r"]).arg(input).arg("-w").arg(output);
                command
            }
            Self::Cat => {
                let mut command = Command::new("cat");
                command.arg(input);
                command
            }
        }
    }

    /// Runs it once, from its start to its end.
    ///
    /// # Errors
    /// When it cannot be started or fails; the message ends with what it wrote to standard error.
    pub(super) fn run(self, trim: &Path, format: Format, input: &Path, output: &Path) -> Result<Round> {
        let words = output.with_extension("stderr");
        let mut command = self.command(trim, format, input, output);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&words)?);
        let line = command::line(&command);
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("cannot start `{line}`"))?;
        let ended = child::wait(child)?;
        let seconds = started.elapsed().as_secs_f64();
        if !ended.status.success() {
            let words = std::fs::read_to_string(&words).unwrap_or_default();
            bail!("`{line}` failed: {}: {}", ended.status, words.trim());
        }
        let length = |path: &Path| path.metadata().map(|metadata| metadata.len());
        Ok(Round {
            seconds,
            bytes_per_second: length(input)? as f64 / seconds,
            cpu_seconds: ended.cpu.as_secs_f64(),
            peak_rss_bytes: ended.peak_rss,
            output_bytes: if self.writes() { Some(length(output)?) } else { None },
        })
    }
}
