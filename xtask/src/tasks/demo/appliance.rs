//! The real `trim`, driven as an operator drives it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;
use xtask::command::output;
use xtask::lab::{Folder, Namespace, Process, Span};

use super::report::{Bytes, Http, Packets, Strategies, Switch};

const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(20);

/// What `trim run --json` prints at its end.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Summary {
    pub(super) balance: i64,
    pub(super) packets: Packets,
    pub(super) bytes: Bytes,
    pub(super) http: Http,
    pub(super) strategies: Strategies,
    pub(super) switch: Option<Switch>,
    pub(super) xdp_mode: String,
    pub(super) xsk_mode: String,
    pub(super) output: PathBuf,
}

/// A running `trim run`.
pub(super) struct Appliance {
    trim: PathBuf,
    socket: PathBuf,
    process: Process,
    _work: Folder,
}

impl Appliance {
    /// Starts it in `namespace` on the mirror's interface and waits until it answers.
    pub(super) fn start(trim: &Path, namespace: &Namespace, output: &Path) -> Result<Self> {
        let work = Folder::new("appliance")?;
        let socket = work.path().join("trim.sock");
        let file = work.path().join("demo.yaml");
        std::fs::write(&file, configuration(&socket, output))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = namespace.command(trim);
        command
            .arg("run")
            .arg("--config")
            .arg(&file)
            .args(["--interface", Span::INTERFACE]);
        command.args(["--mode", "ab_test", "--split", "50", "--json"]);
        let process = Process::start(command)?;
        let mut appliance = Self {
            trim: trim.to_owned(),
            socket,
            process,
            _work: work,
        };
        appliance.wait_ready()?;
        Ok(appliance)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let (trim, socket) = (self.trim.clone(), self.socket.clone());
        let answers = |_: &str, _: &str| socket.exists() && ask(&trim, &socket, &["status", "--json"]).is_ok();
        self.process.wait_ready(START, answers)
    }

    /// Gives it a command such as `switch --mode legacy`.
    pub(super) fn command(&self, words: &[&str]) -> Result<String> {
        ask(&self.trim, &self.socket, words)
    }

    /// Packets seen and written so far; `None` when it does not say.
    pub(super) fn packets(&self) -> Option<(u64, u64)> {
        let text = self.command(&["status", "--json"]).ok()?;
        let status: Value = serde_json::from_str(text.lines().last()?).ok()?;
        let number = |pointer| status.pointer(pointer).and_then(Value::as_u64);
        Some((number("/packets/seen")?, number("/packets/written")?))
    }

    /// Stops it and gives its closing summary.
    pub(super) fn stop(&mut self) -> Result<Summary> {
        self.command(&["stop"])?;
        let status = self.process.wait(STOP)?;
        // 1 says that the balance is not 0, which the summary says better.
        if !matches!(status.code(), Some(0 | 1)) {
            bail!("`trim run` ended with {status}: {}", self.process.stderr().trim());
        }
        let stdout = self.process.stdout();
        let line = stdout.lines().last().context("`trim run --json` printed no summary")?;
        serde_json::from_str(line)
            .with_context(|| format!("the summary of `trim run --json` is not as expected: {line}"))
    }

    /// What it has logged.
    pub(super) fn log(&self) -> String {
        self.process.stderr()
    }
}

fn ask(trim: &Path, socket: &Path, words: &[&str]) -> Result<String> {
    let mut command = Command::new(trim);
    command.args(words).arg("--socket").arg(socket);
    output(&mut command)
}

/// One file, written without a rotation. Nothing is pinned, so that two demos on one machine do not meet.
fn configuration(socket: &Path, output: &Path) -> String {
    format!(
        "capture:\n  pin: false\noutput:\n  directory: {}\n  prefix: demo\n  sync: false\n\
         control:\n  socket: {}\n  database: {}\n",
        output.display(),
        socket.display(),
        socket.with_extension("db").display()
    )
}
