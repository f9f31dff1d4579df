//! The process and its machine: proc(5), statvfs(3), and the memory of control groups.

use std::fs;
use std::path::{Path, PathBuf};

use super::KernelSide;
use super::memory::{self, Groups};
use super::snapshot::Snapshot;
use crate::control::health::Resources;
use crate::kernel::affinity;
use crate::shared::Lane;

/// Reads the state of the process and its machine.
#[derive(Debug)]
pub(super) struct Machine {
    directory: PathBuf,
    memory_limit: Option<u64>,
    groups: Groups,
    processors: usize,
    last: Option<(u64, u64)>,
}

impl Machine {
    /// For a process that writes to `directory` and is to keep within `memory_limit` bytes, if there is such a limit.
    pub(super) fn new(directory: PathBuf, memory_limit: Option<u64>) -> Self {
        Self {
            directory,
            memory_limit,
            groups: Groups::of_this_process(),
            processors: affinity::allowed_cpus().len().max(1),
            last: None,
        }
    }

    /// Everything that can be read; what cannot is `None`, never zero.
    pub(super) fn read(&mut self, now: u64, snapshot: &Snapshot, kernel: &KernelSide) -> Resources {
        let disk = rustix::fs::statvfs(&self.directory).ok();
        let memory = memory::tightest(memory::machine(&read("/proc/meminfo")), self.groups.read());
        let fullest = Lane::ALL
            .iter()
            .map(|lane| snapshot.totals.lanes[lane.index()].statistics.flows)
            .max();
        Resources {
            cpu_share: self.cpu_share(now),
            resident_bytes: resident(&read("/proc/self/statm")),
            memory_total: memory.map(|memory| memory.total),
            memory_available: memory.map(|memory| memory.available),
            memory_limit: self.memory_limit,
            disk_total: disk.as_ref().map(|disk| disk.f_blocks * disk.f_frsize),
            disk_free: disk.as_ref().map(|disk| disk.f_bavail * disk.f_frsize),
            held_bytes: snapshot.totals.held_bytes,
            umem_share: None,
            flow_table_share: fullest.map(|flows| flows as f64 / kernel.max_flows.max(1) as f64),
        }
    }

    fn cpu_share(&mut self, now: u64) -> Option<f64> {
        let used = processor_time(&read("/proc/self/stat"))?;
        let (then, before) = self.last.replace((now, used))?;
        let elapsed = now.saturating_sub(then) as f64;
        let share = used.saturating_sub(before) as f64 / elapsed / self.processors as f64;
        (elapsed > 0.0).then(|| share.clamp(0.0, 1.0))
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(path)).unwrap_or_default()
}

/// Resident memory, bytes: the second field of statm is in pages.
fn resident(statm: &str) -> Option<u64> {
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

/// Processor time of the process, nanoseconds: utime and stime, fields 14 and 15 of stat, in clock ticks. The second field, the
/// program's name, may hold spaces and parentheses.
fn processor_time(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) * 1_000_000_000 / rustix::param::clock_ticks_per_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "7 (a) b) (c) S 1 2 3 4 5 6 7 8 9 10 200 100 0 0";
        let tick = 1_000_000_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(processor_time(stat), Some(300 * tick));
    }

    #[test]
    fn this_process_is_measured() {
        assert!(processor_time(&read("/proc/self/stat")).is_some());
        assert!(resident(&read("/proc/self/statm")).unwrap() > 100_000);
    }
}
