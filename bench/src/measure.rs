//! One peer, once, on a cable of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use xtask::lab::Folder;

use crate::cpus::{Cpus, pin};
use crate::exam::Exam;
use crate::peers::{Peer, Place, Receiving};
use crate::report::{Round, Taken};
use crate::traffic::{Sent, Shape, Traffic};
use crate::wire::Wire;

/// Memory that holds output files.
const MEMORY: &str = "/dev/shm";
/// After the last frame was sent: soft interrupts of its CPU deliver it within a few milliseconds.
const ARRIVAL: Duration = Duration::from_millis(200);

/// The place where all is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bench<'a> {
    /// The `trim` binary.
    pub(crate) trim: &'a Path,
    pub(crate) cpus: Cpus,
}

/// What is sent, and how it is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load<'a> {
    pub(crate) traffic: &'a Traffic,
    pub(crate) shape: &'a Shape,
    /// Nanoseconds from one frame to the next; `None` for as fast as possible.
    pub(crate) interval_ns: Option<u64>,
    /// Whether the output is held against the script.
    pub(crate) is_examined: bool,
}

impl Bench<'_> {
    /// Sends the load to a peer.
    ///
    /// # Errors
    /// When the peer does not start, does not do its work, or does not say what became of the packets.
    pub(crate) fn measure(&self, peer: Peer, load: Load<'_>) -> Result<Round> {
        self.measure_and(peer, load, |_| Ok(())).map(|(round, ())| round)
    }

    /// The same, and does something beside it on this CPU while frames are sent.
    ///
    /// # Errors
    /// As above, and what `beside` fails with.
    pub(crate) fn measure_and<T: Send>(
        &self,
        peer: Peer,
        load: Load<'_>,
        beside: impl FnOnce(&dyn Receiving) -> Result<T> + Send,
    ) -> Result<(Round, T)> {
        let folder = folder_in_memory()?;
        let place = Place {
            trim: self.trim,
            output: folder.path(),
            cpus: self.cpus,
        };
        Wire::with(|wire| {
            let receiving = peer.start(wire, place)?;
            let before = receiving.usage();
            let (sent, done) = send_and(load, wire, self.cpus, || beside(receiving.as_ref()))?;
            let after = receiving.usage();
            std::thread::sleep(ARRIVAL);
            let received = receiving.stop(&sent)?;
            let exam = examine(&received.files, load)?;
            let taken = before.zip(after).map(|(before, after)| Taken::new(before, after));
            let round = Round::new(&sent, wire.dropped_by_sender()?, received, taken, exam);
            Ok((round, done))
        })
    }
}

/// Sends from the generator's CPU, where the soft interrupts of the cable run as well, and does something beside it.
fn send_and<T>(load: Load<'_>, wire: &Wire<'_>, cpus: Cpus, beside: impl FnOnce() -> Result<T>) -> Result<(Sent, T)> {
    let far = wire.far;
    std::thread::scope(|scope| {
        let sending = scope.spawn(move || {
            pin(cpus.generator)?;
            load.traffic.send(far, load.shape, load.interval_ns)
        });
        let done = beside();
        let sent = sending
            .join()
            .map_err(|_| anyhow!("the thread that sends panicked"))??;
        Ok((sent, done?))
    })
}

fn examine(files: &[PathBuf], load: Load<'_>) -> Result<Option<Exam>> {
    if !load.is_examined || files.is_empty() {
        return Ok(None);
    }
    let mut sum = Exam::default();
    for file in files {
        sum = sum.and(Exam::of(file, &load.traffic.truth)?);
    }
    Ok(Some(sum))
}

/// A new folder in memory for captures.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn folder_in_memory() -> Result<Folder> {
    let path = PathBuf::from(MEMORY).join(format!("trim-bench-{}", std::process::id()));
    let folder = Folder::adopt(path);
    fs::create_dir(folder.path()).with_context(|| format!("cannot create {}", folder.path().display()))?;
    Ok(folder)
}

/// A capture of everything must fit.
///
/// # Errors
/// When it does not.
pub(crate) fn ensure_room(traffic: &Shape) -> Result<()> {
    // 64 bytes are more than any file format adds to a packet.
    ensure_free((traffic.frames as f64 * (traffic.frame_bytes + 64.0)) as u64)
}

/// Captures of so many bytes must fit: a full file system would look like a slow program.
///
/// # Errors
/// When they do not.
pub(crate) fn ensure_free(needed: u64) -> Result<()> {
    let state = rustix::fs::statvfs(MEMORY).with_context(|| format!("cannot ask {MEMORY} for its size"))?;
    let free = state.f_bavail * state.f_frsize;
    ensure!(
        free > needed,
        "{MEMORY} has {} MiB free and captures take {} MiB: free some memory, or use --quick",
        free >> 20,
        needed >> 20
    );
    Ok(())
}
