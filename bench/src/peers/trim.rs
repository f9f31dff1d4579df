//! The real `trim run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use trim_common::strategy::Mode;
use trim_user::control::status::{Http, LatencyStatus, Packets, SwitchStatus};
use xtask::command::output;
use xtask::lab::Process;

use super::{Latency, Place, Received, Receiving};
use crate::traffic::Sent;
use crate::usage::Usage;
use crate::wire::{NEAR, Wire};

pub(super) const SETTING: &str = "native XDP, layout inline, wait spin, pcapng to tmpfs, the rest as by default";

const START: Duration = Duration::from_secs(20);
const STOP: Duration = Duration::from_secs(20);
/// Least share of the body bytes received that must have been removed: less is not the work that is to be measured.
const LEAST_CUT: f64 = 0.99;

/// What `trim run --json` prints at its end, as far as it is wanted here.
#[derive(Debug, Deserialize)]
struct Summary {
    packets: Packets,
    accounts: Accounts,
    http: Http,
    files: Files,
    frames_leaked: u64,
    xdp_mode: String,
    strategies: BTreeMap<String, Judged>,
}

/// What `trim switch --json` prints, as far as it is wanted here.
#[derive(Debug, Deserialize)]
struct Switched {
    switch: Option<SwitchStatus>,
}

/// One strategy's part.
#[derive(Debug, Deserialize)]
struct Judged {
    latency_ns: LatencyStatus,
}

impl Summary {
    /// That of the strategy that has judged most packets.
    fn latency(&self) -> Option<Latency> {
        let judged = self.strategies.values().map(|judged| judged.latency_ns);
        let most = judged.max_by_key(|latency| latency.packets)?;
        Some(Latency {
            p50: most.p50,
            p99: most.p99,
            p999: most.p999,
        })
    }
}

#[derive(Debug, Deserialize)]
struct Accounts {
    lost: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
struct Files {
    bytes: u64,
}

/// The appliance, running.
pub(super) struct Appliance {
    trim: PathBuf,
    socket: PathBuf,
    process: Process,
}

impl Appliance {
    pub(super) fn start(mode: Mode, body_cut: bool, wire: &Wire<'_>, place: Place<'_>) -> Result<Self> {
        let socket = place.output.join("trim.sock");
        let file = place.output.join("bench.yaml");
        std::fs::write(&file, configuration(&socket, body_cut, place))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let mut command = wire.namespace.command(place.trim);
        command.arg("run").arg("--config").arg(&file);
        command.args(["--interface", NEAR, "--mode", mode.name(), "--json"]);
        let mut process = Process::start(command)?;
        let answers = |_: &str, _: &str| socket.exists() && ask(place.trim, &socket, "status").is_ok();
        process.wait_ready(START, answers)?;
        Ok(Self {
            trim: place.trim.to_owned(),
            socket,
            process,
        })
    }

    /// What it has written: all captures in its folder.
    fn files(&self) -> Result<Vec<PathBuf>> {
        let folder = self.socket.parent().context("the socket stands in a folder")?;
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "pcapng") {
                files.push(path);
            }
        }
        Ok(files)
    }

    fn end(&mut self) -> Result<Summary> {
        ask(&self.trim, &self.socket, "stop")?;
        let status = self.process.wait(STOP)?;
        // 1 says that packets are unaccounted for, which the balance of the report says better.
        if !matches!(status.code(), Some(0 | 1)) {
            bail!("`trim run` ended with {status}: {}", self.process.stderr().trim());
        }
        let stdout = self.process.stdout();
        let line = stdout.lines().last().context("`trim run --json` printed no summary")?;
        serde_json::from_str(line)
            .with_context(|| format!("the summary of `trim run --json` is not as expected: {line}"))
    }
}

impl Receiving for Appliance {
    fn usage(&self) -> Option<Usage> {
        Usage::of(self.process.id())
    }

    fn switch(&self, to: Mode) -> Result<Option<f64>> {
        let mut command = Command::new(&self.trim);
        command.args(["switch", "--mode", to.name(), "--immediate", "--json"]);
        command.arg("--socket").arg(&self.socket);
        let done: Switched = serde_json::from_str(&output(&mut command)?)
            .context("`trim switch --json` answers otherwise than expected")?;
        Ok(done.switch.map(|switch| switch.microseconds))
    }

    fn stop(mut self: Box<Self>, sent: &Sent) -> Result<Received> {
        let summary = self.end()?;
        check(&summary, sent)?;
        let latency = summary.latency();
        Ok(Received {
            seen: summary.packets.seen,
            kept: summary.packets.written,
            lost: summary.accounts.lost,
            output_bytes: Some(summary.files.bytes),
            files: self.files()?,
            latency,
        })
    }
}

/// Whether the appliance did what is measured: capture in the driver, know the bodies, remove them.
fn check(summary: &Summary, sent: &Sent) -> Result<()> {
    ensure!(
        summary.xdp_mode == "native",
        "the XDP program of `trim run` was attached in mode {}, not native",
        summary.xdp_mode
    );
    ensure!(
        summary.frames_leaked == 0,
        "`trim run` leaked {} frames of its pool",
        summary.frames_leaked
    );
    let (bodies, cut) = (sent.body_bytes, summary.http.body_bytes_cut);
    // Behind a lost packet a trimmer may rightly be unsure; the report then shows what it kept.
    let is_whole = summary.packets.written == sent.frames;
    ensure!(
        !is_whole || cut as f64 >= LEAST_CUT * bodies as f64,
        "`trim run` removed {cut} body bytes of {bodies} it received: this run did not measure trimming ({:?})",
        summary.http
    );
    Ok(())
}

fn ask(trim: &Path, socket: &Path, what: &str) -> Result<String> {
    let mut command = Command::new(trim);
    command.arg(what).arg("--socket").arg(socket);
    output(&mut command)
}

/// One thread on the receiver's CPU, which never sleeps: that CPU has nothing else to do.
fn configuration(socket: &Path, body_cut: bool, place: Place<'_>) -> String {
    format!(
        "capture:\n  body_cut: {body_cut}\n  wait: spin\n  pin: false\npipeline:\n  layout: inline\n  receive_cores: [{}]\n\
         output:\n  directory: {}\n  prefix: bench\n  sync: false\ncontrol:\n  socket: {}\n  \
         database: {}\n",
        place.cpus.receiver,
        place.output.display(),
        socket.display(),
        socket.with_extension("db").display()
    )
}
