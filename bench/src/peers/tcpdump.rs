//! `tcpdump -s 0`, as most people capture.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;
use trim_user::kernel::bare::{BareRedirect, Hook};
use xtask::lab::Process;

use super::{Place, Received, Receiving};
use crate::source::Sent;
use crate::wire::{NEAR, Wire};

pub(super) const SETTING: &str = "-s 0 -B 32768 (32 MiB of kernel buffer), writing to tmpfs";

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(30);
/// The file has settled when it did not grow for so long: the kernel hands over a block that is not full after a second.
const QUIET: Duration = Duration::from_millis(1300);

/// A tcpdump that writes whole packets.
pub(super) struct Tcpdump {
    /// Passes every frame on. A veth takes frames from XDP only where it runs a program itself, or has GRO on; GRO would
    /// compute checksums and merge packets, which is a burden of its own.
    program: BareRedirect,
    process: Process,
    file: PathBuf,
}

impl Tcpdump {
    pub(super) fn start(wire: &Wire<'_>, place: Place<'_>) -> Result<Self> {
        let program = BareRedirect::attach(wire.near, 1, Hook::Native, false)?;
        let file = place.output.join("tcpdump.pcap");
        let mut command = wire.namespace.command("taskset");
        command.args(["--cpu-list", &place.cpus.receiver.to_string()]);
        command.args(["tcpdump", "-n", "-i", NEAR, "-s", "0", "-B", "32768"]);
        // Debian's tcpdump would become another user, who may not write to our folder.
        command.args(["-Z", "root", "-w"]).arg(&file);
        let mut process = Process::start(command)?;
        process.wait_ready(START, |_, stderr| stderr.contains("listening on"))?;
        Ok(Self { program, process, file })
    }
}

impl Receiving for Tcpdump {
    fn stop(mut self: Box<Self>, _sent: &Sent) -> Result<Received> {
        settle(&self.file);
        self.process.stop(Signal::INT, STOP)?;
        let words = self.process.stderr();
        let (captured, dropped) =
            counts(&words).with_context(|| format!("tcpdump ended without its counts: {}", words.trim()))?;
        Ok(Received {
            seen: self.program.seen()?,
            kept: captured,
            lost: [("kernel_buffer".to_owned(), dropped)].into(),
            output_bytes: Some(length(&self.file)),
        })
    }
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// Waits until the file grows no more.
fn settle(file: &Path) {
    let end = Instant::now() + STOP;
    let (mut last, mut since) = (length(file), Instant::now());
    while since.elapsed() < QUIET && Instant::now() < end {
        std::thread::sleep(QUIET / 20);
        let now = length(file);
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
}

/// Packets captured, and packets dropped by the kernel.
fn counts(stderr: &str) -> Option<(u64, u64)> {
    let number = |what: &str| {
        let line = stderr.lines().find(|line| line.contains(what))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some((number("packets captured")?, number("dropped by kernel")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_counts_are_read() {
        let stderr = "tcpdump: listening on near\n12 packets captured\n14 packets received by filter\n2 packets dropped by kernel\n";
        assert_eq!(counts(stderr), Some((12, 2)));
        assert_eq!(counts("tcpdump: listening on near\n"), None);
    }
}
