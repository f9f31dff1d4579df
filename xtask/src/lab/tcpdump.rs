//! tcpdump as the independent witness.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, thread};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{Namespace, Process};

const START: Duration = Duration::from_secs(10);
const STOP: Duration = Duration::from_secs(30);
/// The file has settled when it did not grow for so long.
const QUIET: Duration = Duration::from_millis(400);

/// A tcpdump that writes whole packets to a file.
#[derive(Debug)]
pub struct Tcpdump {
    process: Process,
    file: PathBuf,
}

/// What tcpdump says when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpdumpCounts {
    /// Packets in the file.
    pub captured: u64,
    /// Packets that the kernel had no room for.
    pub dropped: u64,
}

impl Tcpdump {
    /// Starts it on an interface and waits until it listens.
    ///
    /// # Errors
    /// When it does not start or does not come to listen.
    pub fn start(namespace: &Namespace, interface: &str, file: &Path) -> Result<Self> {
        let mut command = namespace.command("tcpdump");
        command.args([
            "-n",
            "-i",
            interface,
            "-s",
            "0",
            "-B",
            "131072",
            "--immediate-mode",
            "-U",
        ]);
        // Debian's tcpdump would become another user, who may not write to our folder.
        command.args(["-Z", "root", "-w"]).arg(file);
        let mut process = Process::start(command)?;
        process.wait_ready(START, |_, stderr| stderr.contains("listening on"))?;
        Ok(Self {
            process,
            file: file.to_owned(),
        })
    }

    /// Waits until no more packets come, stops it and gives its counts.
    ///
    /// # Errors
    /// When it does not end or its counts cannot be read.
    pub fn stop(mut self) -> Result<TcpdumpCounts> {
        self.settle();
        self.process.stop(Signal::INT, STOP)?;
        let words = self.process.stderr();
        counts(&words).with_context(|| format!("tcpdump ended without its counts: {}", words.trim()))
    }

    fn settle(&self) {
        let size = || fs::metadata(&self.file).map_or(0, |metadata| metadata.len());
        let (mut last, mut since) = (size(), Instant::now());
        let end = since + STOP;
        while since.elapsed() < QUIET && Instant::now() < end {
            thread::sleep(QUIET / 8);
            let now = size();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
    }
}

fn counts(stderr: &str) -> Option<TcpdumpCounts> {
    let number = |what: &str| {
        let line = stderr.lines().find(|line| line.contains(what))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(TcpdumpCounts {
        captured: number("captured")?,
        dropped: number("dropped by kernel")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_counts_are_read() {
        let stderr = "tcpdump: listening on m0\n12 packets captured\n14 packets received by filter\n2 packets dropped by kernel\n";
        assert_eq!(
            counts(stderr),
            Some(TcpdumpCounts {
                captured: 12,
                dropped: 2
            })
        );
        assert_eq!(counts("tcpdump: listening on m0\n"), None);
    }
}
