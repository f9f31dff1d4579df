//! Programs that most people capture with. All write to tmpfs and have 32 MiB of kernel buffer.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::Signal;
use trim_user::kernel::bare::{BareRedirect, Hook};
use xtask::lab::Process;

use super::{Place, Received, Receiving};
use crate::traffic::Sent;
use crate::usage::Usage;
use crate::wire::{NEAR, Wire};

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(30);
/// The file has settled when it did not grow for so long: the kernel hands over a block that is not full after a second.
const QUIET: Duration = Duration::from_millis(1300);

/// A program that captures from a packet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// Whole packets.
    Tcpdump,
    /// The first 128 bytes of each: what `trim` is most like, but for headers that are longer.
    Tcpdump128,
    /// Wireshark's.
    Dumpcap,
    /// Writes from a ring that it shares with the kernel.
    NetsniffNg,
}

impl Program {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcpdump => "tcpdump -s 0",
            Self::Tcpdump128 => "tcpdump -s 128",
            Self::Dumpcap => "dumpcap",
            Self::NetsniffNg => "netsniff-ng",
        }
    }

    pub(super) const fn setting(self) -> &'static str {
        match self {
            Self::Tcpdump => "-s 0 -B 32768 (32 MiB of kernel buffer), writing to tmpfs",
            Self::Tcpdump128 => "-s 128 -B 32768, writing to tmpfs: cuts headers that are longer",
            Self::Dumpcap => "-s 0 -B 32, writing pcapng to tmpfs",
            Self::NetsniffNg => "--ring-size 32MiB, writing to tmpfs",
        }
    }

    fn arguments(self) -> Vec<&'static str> {
        match self {
            // Debian's tcpdump would become another user, who may not write to our folder.
            Self::Tcpdump => vec![
                "tcpdump", "-n", "-i", NEAR, "-s", "0", "-B", "32768", "-Z", "root", "-w",
            ],
            Self::Tcpdump128 => vec![
                "tcpdump", "-n", "-i", NEAR, "-s", "128", "-B", "32768", "-Z", "root", "-w",
            ],
            Self::Dumpcap => vec!["dumpcap", "-q", "-i", NEAR, "-s", "0", "-B", "32", "-w"],
            Self::NetsniffNg => vec!["netsniff-ng", "--silent", "--ring-size", "32MiB", "--in", NEAR, "--out"],
        }
    }

    /// What it prints when it captures.
    const fn is_ready(self) -> &'static str {
        match self {
            Self::Tcpdump | Self::Tcpdump128 => "listening on",
            Self::Dumpcap => "File:",
            Self::NetsniffNg => "Running!",
        }
    }

    /// Packets kept, and packets dropped by the kernel, from its last words.
    fn counts(self, words: &str) -> Option<(u64, u64)> {
        let before = |what: &str| {
            let line = words.lines().find(|line| line.contains(what))?;
            line.split_whitespace().next()?.parse().ok()
        };
        match self {
            Self::Tcpdump | Self::Tcpdump128 => Some((before("packets captured")?, before("dropped by kernel")?)),
            Self::NetsniffNg => Some((before("packets passed filter")?, before("packets failed filter")?)),
            Self::Dumpcap => {
                let line = words.lines().find(|line| line.contains("received/dropped"))?;
                let (received, rest) = line.rsplit_once("': ")?.1.split_once('/')?;
                let dropped = rest.split_whitespace().next()?;
                Some((received.parse().ok()?, dropped.parse().ok()?))
            }
        }
    }
}

/// One that is running.
pub(super) struct Sniffer {
    program: Program,
    /// Passes every frame on. A veth takes frames from XDP only where it runs a program itself, or has GRO on; GRO would
    /// compute checksums and merge packets, which is a burden of its own.
    pass: BareRedirect,
    process: Process,
    file: PathBuf,
}

impl Sniffer {
    pub(super) fn start(program: Program, wire: &Wire<'_>, place: Place<'_>) -> Result<Self> {
        let pass = BareRedirect::attach(wire.near, 1, Hook::Native, false)?;
        let file = place.output.join("captured");
        let mut command = wire.namespace.command("taskset");
        command.args(["--cpu-list", &place.cpus.receiver.to_string()]);
        command.args(program.arguments()).arg(&file);
        let mut process = Process::start(command)?;
        process.wait_ready(START, |stdout, stderr| {
            stdout.contains(program.is_ready()) || stderr.contains(program.is_ready())
        })?;
        Ok(Self {
            program,
            pass,
            process,
            file,
        })
    }
}

impl Receiving for Sniffer {
    fn usage(&self) -> Option<Usage> {
        Usage::of(self.process.id())
    }

    fn stop(mut self: Box<Self>, _sent: &Sent) -> Result<Received> {
        settle(&self.file);
        self.process.stop(Signal::INT, STOP)?;
        let words = self.process.stdout() + &self.process.stderr();
        let (captured, dropped) = self.program.counts(&words).with_context(|| {
            let name = self.program.name();
            format!("{name} ended without its counts: {}", words.trim())
        })?;
        Ok(Received {
            seen: self.pass.seen()?,
            kept: captured,
            lost: [("kernel_buffer".to_owned(), dropped)].into(),
            output_bytes: Some(length(&self.file)),
            files: vec![self.file],
            latency: None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_counts_are_read() {
        let tcpdump = "tcpdump: listening on near\n12 packets captured\n14 packets received by filter\n2 packets dropped by kernel\n";
        assert_eq!(Program::Tcpdump.counts(tcpdump), Some((12, 2)));
        assert_eq!(Program::Tcpdump.counts("tcpdump: listening on near\n"), None);
        let dumpcap = "Packets captured: 12\nPackets received/dropped on interface 'near': 12/3 (pcap:3/dumpcap:0/flushed:0/ps_ifdrop:0) (80.0%)\n";
        assert_eq!(Program::Dumpcap.counts(dumpcap), Some((12, 3)));
        let netsniff = "Running! Hang up with ^C!\n\n      15  packets incoming (0 unread on exit)\n      12  packets passed filter\n       3  packets failed filter (out of space)\n";
        assert_eq!(Program::NetsniffNg.counts(netsniff), Some((12, 3)));
    }
}
