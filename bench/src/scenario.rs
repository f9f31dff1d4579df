//! One scenario: every peer gets the same frames, in alternation, several times.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use xtask::lab::Folder;

use crate::Scenario;
use crate::cpus::{Cpus, pin};
use crate::machine::Machine;
use crate::peers::{Peer, Place};
use crate::report::{Report, Round, Row};
use crate::targets;
use crate::traffic::{Downloads, Flood, Sent, Shape, Workload};
use crate::wire::Wire;

/// Memory that holds output files.
const MEMORY: &str = "/dev/shm";
/// After the last frame was sent: soft interrupts of its CPU deliver it within a few milliseconds.
const ARRIVAL: Duration = Duration::from_millis(200);

/// How much is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    workload: Workload,
    peers: &'static [Peer],
    rounds: usize,
    is_quick: bool,
}

impl Size {
    /// Quick, all scenarios take about three minutes; `Scenario::All` has no size of its own.
    pub(crate) fn of(scenario: Scenario, is_quick: bool) -> Self {
        // Frames in a round are about the same number in all: one to two million, or three.
        let times = if is_quick { 1 } else { 3 };
        let (workload, peers) = match scenario {
            Scenario::Bulk | Scenario::All => {
                let segments = if is_quick { 20_000 } else { 48_000 };
                let downloads = Downloads { flows: 64, segments };
                (Workload::Downloads(downloads), Peer::ALL.as_slice())
            }
            Scenario::Tiny => (Workload::Flood(Flood::tiny(4000, 300 * times)), &Peer::WHOLE[..]),
            Scenario::Hostile => (Workload::Flood(Flood::hostile(4000, 300 * times)), &Peer::WHOLE[..]),
        };
        let rounds = if is_quick { 3 } else { 7 };
        Self {
            workload,
            peers,
            rounds,
            is_quick,
        }
    }
}

/// Every peer, in alternation, on the frames of one scenario, as fast as the kernel makes them.
pub(crate) fn run(name: &str, trim: &Path, size: Size) -> Result<Report> {
    let cpus = Cpus::choose()?;
    let machine = Machine::look();
    let traffic = size.workload.shape();
    ensure_room(&traffic)?;
    let mut rounds: Vec<Vec<Round>> = size.peers.iter().map(|_| Vec::new()).collect();
    for number in 1..=size.rounds {
        for (peer, rounds) in size.peers.iter().zip(&mut rounds) {
            let round = measure(*peer, trim, cpus, size.workload)
                .with_context(|| format!("round {number} of {} failed", peer.name()))?;
            eprintln!(
                "bench: {name}, round {number} of {}, {}: {round}",
                size.rounds,
                peer.name()
            );
            rounds.push(round);
        }
    }
    let rows = size.peers.iter().zip(rounds);
    let rows: Vec<_> = rows.map(|(peer, rounds)| Row::new(*peer, rounds)).collect();
    Ok(Report {
        targets: targets::of(name, &rows),
        scenario: name.to_owned(),
        is_quick: size.is_quick,
        machine,
        cpus,
        traffic,
        rows,
    })
}

/// One peer, once, on a cable of its own.
fn measure(peer: Peer, trim: &Path, cpus: Cpus, workload: Workload) -> Result<Round> {
    let folder = folder_in_memory()?;
    let place = Place {
        trim,
        output: folder.path(),
        cpus,
    };
    Wire::with(|wire| {
        let receiving = peer.start(wire, place)?;
        let sent = send(workload, wire, cpus)?;
        std::thread::sleep(ARRIVAL);
        let received = receiving.stop(&sent)?;
        Ok(Round::new(&sent, wire.dropped_by_sender()?, received))
    })
}

/// Sends from the generator's CPU; the soft interrupts of the cable run where the sender runs.
fn send(workload: Workload, wire: &Wire<'_>, cpus: Cpus) -> Result<Sent> {
    let far = wire.far;
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            pin(cpus.generator)?;
            workload.send(far)
        });
        sending.join().map_err(|_| anyhow!("the thread that sends panicked"))?
    })
}

fn folder_in_memory() -> Result<Folder> {
    let path = PathBuf::from(MEMORY).join(format!("trim-bench-{}", std::process::id()));
    let folder = Folder::adopt(path);
    fs::create_dir(folder.path()).with_context(|| format!("cannot create {}", folder.path().display()))?;
    Ok(folder)
}

/// A capture of everything must fit: a full file system would look like a slow program.
fn ensure_room(traffic: &Shape) -> Result<()> {
    let state = rustix::fs::statvfs(MEMORY).with_context(|| format!("cannot ask {MEMORY} for its size"))?;
    let free = state.f_bavail * state.f_frsize;
    // 64 bytes are more than any file format adds to a packet.
    let needed = traffic.frames * (traffic.frame_bytes as u64 + 64);
    ensure!(
        free > needed,
        "{MEMORY} has {} MiB free and a whole capture takes {} MiB: free some memory, or use --quick",
        free >> 20,
        needed >> 20
    );
    Ok(())
}
