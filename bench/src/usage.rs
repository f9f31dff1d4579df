//! What a process has taken of the machine.

use std::time::Duration;

use procfs::process::Process;

/// At one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Processor time, of all its threads.
    pub(crate) processor: Duration,
    /// Most memory that was resident at once, bytes.
    pub(crate) peak_resident: u64,
}

impl Usage {
    /// Of the process with this id; `None` when it has ended.
    pub(crate) fn of(process: u32) -> Option<Self> {
        let process = Process::new(process.cast_signed()).ok()?;
        let stat = process.stat().ok()?;
        let ticks = (stat.utime + stat.stime) as f64;
        Some(Self {
            processor: Duration::from_secs_f64(ticks / procfs::ticks_per_second() as f64),
            peak_resident: process.status().ok()?.vmhwm? * 1024,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_measured() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.peak_resident > 100_000, "{usage:?}");
    }
}
