//! Memory that can still be had: of the machine, and of the control groups (cgroups(7), version 2) that the process is in.

use std::fs;
use std::path::{Path, PathBuf};

/// Where version 2 is mounted on a machine that has no version 1.
const MOUNT: &str = "/sys/fs/cgroup";

/// Some memory, and how much of it can still be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// All of it, bytes.
    pub(super) total: u64,
    /// What can still be had of it, bytes.
    pub(super) available: u64,
}

impl Memory {
    fn share_in_use(self) -> f64 {
        1.0 - self.available as f64 / self.total.max(1) as f64
    }
}

/// The one of which the larger share is in use.
pub(super) fn tightest(machine: Option<Memory>, groups: impl IntoIterator<Item = Memory>) -> Option<Memory> {
    machine
        .into_iter()
        .chain(groups)
        .max_by(|one, other| one.share_in_use().total_cmp(&other.share_in_use()))
}

/// The machine's, from `/proc/meminfo`.
pub(super) fn machine(meminfo: &str) -> Option<Memory> {
    let line = |key: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
        let kilobytes: u64 = line.trim_start_matches(':').split_whitespace().next()?.parse().ok()?;
        Some(kilobytes * 1024)
    };
    Some(Memory {
        total: line("MemTotal")?,
        available: line("MemAvailable")?,
    })
}

/// The control groups whose limits hold for the process: its own, and those around it.
#[derive(Clone, Debug, Default)]
pub(super) struct Groups(Vec<PathBuf>);

impl Groups {
    /// Those of this process.
    pub(super) fn of_this_process() -> Self {
        let membership = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::of(&membership, Path::new(MOUNT))
    }

    /// Those of a process with the `/proc/PID/cgroup` given, under `mount`.
    fn of(membership: &str, mount: &Path) -> Self {
        let Some(path) = membership.lines().find_map(|line| line.strip_prefix("0::/")) else {
            return Self::default();
        };
        let inner = mount.join(path);
        Self(
            inner
                .ancestors()
                .take_while(|folder| folder.starts_with(mount))
                .map(Path::to_path_buf)
                .collect(),
        )
    }

    /// The memory of each that has a limit.
    pub(super) fn read(&self) -> impl Iterator<Item = Memory> + '_ {
        self.0.iter().filter_map(|folder| group(folder))
    }
}

/// What a group has left. Its files in the page cache count for it, and those are what a capture mostly writes: the kernel
/// takes them back before it lets anybody starve, so they count as available, as they do in `MemAvailable`.
fn group(folder: &Path) -> Option<Memory> {
    let read = |file: &str| fs::read_to_string(folder.join(file)).ok();
    let total: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    let statistics = read("memory.stat").unwrap_or_default();
    let reclaimable: u64 = statistics
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(name, _)| ["inactive_file", "active_file", "slab_reclaimable"].contains(name))
        .filter_map(|(_, bytes)| bytes.trim().parse::<u64>().ok())
        .sum();
    Some(Memory {
        total,
        available: total.saturating_sub(used.saturating_sub(reclaimable)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:       16000 kB\nMemFree:          100 kB\nMemAvailable:    8000 kB\n";

    fn memory(total: u64, available: u64) -> Memory {
        Memory { total, available }
    }

    #[test]
    fn the_tightest_counts() {
        let half = machine(MEMINFO).unwrap();
        assert_eq!(half, memory(16_000 << 10, 8_000 << 10));
        assert_eq!(tightest(Some(half), []), Some(half));
        // More is left of it in bytes, but a larger share is in use.
        let fuller = memory(1 << 40, 1 << 38);
        assert_eq!(tightest(Some(half), [fuller, memory(1 << 20, 1 << 20)]), Some(fuller));
        assert_eq!(tightest(None, []), None);
        assert_eq!(machine(""), None);
    }

    /// A group with these files.
    fn make(folder: &Path, limit: &str, used: &str, statistics: &str) {
        fs::create_dir_all(folder).unwrap();
        for (file, text) in [
            ("memory.max", limit),
            ("memory.current", used),
            ("memory.stat", statistics),
        ] {
            fs::write(folder.join(file), text).unwrap();
        }
    }

    #[test]
    fn limits_of_the_groups_around_hold_too_and_the_page_cache_is_no_shortage() {
        let mount = tempfile::tempdir().unwrap();
        let slice = mount.path().join("system.slice");
        fs::create_dir_all(&slice).unwrap();
        make(
            &slice,
            "2000\n",
            "1900\n",
            "anon 500\ninactive_file 1200\nactive_file 200\n",
        );
        make(&slice.join("trim.service"), "max\n", "1800\n", "");
        let groups = Groups::of("0::/system.slice/trim.service\n", mount.path());
        assert_eq!(groups.read().collect::<Vec<_>>(), [memory(2000, 1500)]);
        make(&slice.join("trim.service"), "1000\n", "990\n", "anon 985\n");
        assert_eq!(tightest(None, groups.read()), Some(memory(1000, 10)));
    }

    #[test]
    fn a_machine_without_version_2_has_no_groups() {
        assert_eq!(Groups::of("4:memory:/a\n3:cpu:/\n", Path::new("/x")).read().count(), 0);
    }
}
