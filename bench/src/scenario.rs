//! One scenario: every peer gets the same frames, in alternation, several times.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use xtask::lab::Folder;

use crate::cpus::{Cpus, pin};
use crate::machine::Machine;
use crate::peers::{Peer, Place};
use crate::report::{Report, Round, Row, Traffic};
use crate::source::{Downloads, Sent};
use crate::targets;
use crate::wire::Wire;

/// Memory that holds output files.
const MEMORY: &str = "/dev/shm";
/// After the last frame was sent: soft interrupts of its CPU deliver it within a few milliseconds.
const ARRIVAL: Duration = Duration::from_millis(200);

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    downloads: Downloads,
    rounds: usize,
    is_quick: bool,
}

impl Size {
    /// About a minute.
    pub(crate) const QUICK: Self = Self {
        downloads: Downloads {
            flows: 64,
            segments: 20_000,
        },
        rounds: 3,
        is_quick: true,
    };
    /// More and longer rounds.
    pub(crate) const FULL: Self = Self {
        downloads: Downloads {
            flows: 64,
            segments: 48_000,
        },
        rounds: 7,
        is_quick: false,
    };
}

/// Large downloads in full-size frames, as fast as the kernel makes them.
pub(crate) fn bulk(trim: &Path, size: Size) -> Result<Report> {
    let cpus = Cpus::choose()?;
    let machine = Machine::look();
    ensure_room(size.downloads)?;
    let mut rounds: Vec<Vec<Round>> = Peer::ALL.map(|_| Vec::new()).into();
    for number in 1..=size.rounds {
        for (peer, rounds) in Peer::ALL.into_iter().zip(&mut rounds) {
            let round = measure(peer, trim, cpus, size.downloads)
                .with_context(|| format!("round {number} of {} failed", peer.name()))?;
            eprintln!("bench: round {number} of {}, {}: {round}", size.rounds, peer.name());
            rounds.push(round);
        }
    }
    let rows = Peer::ALL.into_iter().zip(rounds);
    let rows: Vec<_> = rows.map(|(peer, rounds)| Row::new(peer, rounds)).collect();
    Ok(Report {
        targets: targets::of_bulk(&rows),
        scenario: "bulk".to_owned(),
        is_quick: size.is_quick,
        machine,
        cpus,
        traffic: Traffic::of(size.downloads),
        rows,
    })
}

/// One peer, once, on a cable of its own.
fn measure(peer: Peer, trim: &Path, cpus: Cpus, downloads: Downloads) -> Result<Round> {
    let folder = folder_in_memory()?;
    let place = Place {
        trim,
        output: folder.path(),
        cpus,
    };
    Wire::with(|wire| {
        let receiving = peer.start(wire, place)?;
        let sent = send(downloads, wire, cpus)?;
        std::thread::sleep(ARRIVAL);
        let received = receiving.stop(&sent)?;
        Ok(Round::new(&sent, wire.dropped_by_sender()?, received))
    })
}

/// Sends from the generator's CPU; the soft interrupts of the cable run where the sender runs.
fn send(downloads: Downloads, wire: &Wire<'_>, cpus: Cpus) -> Result<Sent> {
    let far = wire.far;
    let sending = std::thread::spawn(move || {
        pin(cpus.generator)?;
        downloads.send(far)
    });
    sending.join().map_err(|_| anyhow!("the thread that sends panicked"))?
}

fn folder_in_memory() -> Result<Folder> {
    let path = PathBuf::from(MEMORY).join(format!("trim-bench-{}", std::process::id()));
    let folder = Folder::adopt(path);
    fs::create_dir(folder.path()).with_context(|| format!("cannot create {}", folder.path().display()))?;
    Ok(folder)
}

/// A capture of everything must fit: a full file system would look like a slow program.
fn ensure_room(downloads: Downloads) -> Result<()> {
    let state = rustix::fs::statvfs(MEMORY).with_context(|| format!("cannot ask {MEMORY} for its size"))?;
    let free = state.f_bavail * state.f_frsize;
    // 64 bytes are more than any file format adds to a packet.
    let needed = u64::from(downloads.body_frames()) * (Downloads::frame_bytes() as u64 + 64);
    ensure!(
        free > needed,
        "{MEMORY} has {} MiB free and a whole capture takes {} MiB: free some memory, or use --quick",
        free >> 20,
        needed >> 20
    );
    Ok(())
}
