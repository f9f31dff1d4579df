//! How much and how long a worker holds back.

/// Bounds on what a worker holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldLimits {
    /// Most memory for frames that wait and those behind them, bytes.
    pub bytes: usize,
    /// Longest wait in capture time, nanoseconds; `None` means as long as the memory lasts.
    pub time_ns: Option<u64>,
    /// Longest wait while the capture itself loses packets, nanoseconds.
    pub overloaded_ns: u64,
}

impl HoldLimits {
    /// For captures that are read from files: 64 MiB, and no bound on capture time, because none passes while waiting.
    pub const OFFLINE: Self = Self {
        bytes: 64 << 20,
        time_ns: None,
        overloaded_ns: u64::MAX,
    };

    /// The longest wait.
    pub(super) const fn longest_wait(&self, is_overloaded: bool) -> u64 {
        match self.time_ns {
            Some(time) if is_overloaded && self.overloaded_ns < time => self.overloaded_ns,
            Some(time) => time,
            None => u64::MAX,
        }
    }
}
