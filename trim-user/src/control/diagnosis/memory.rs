//! The daemon's memory by subsystem.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::control::health::Moment;
use crate::kernel::heap;
use crate::kernel::xsk::pool_bytes;
use crate::shared::{Lane, Shared};

/// What the daemon holds at one moment. What cannot be read is left out, never 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Memory {
    /// When.
    pub at: Moment,
    /// By name; names in `_bytes` are bytes, others counts.
    pub values: BTreeMap<String, u64>,
}

impl Memory {
    /// Reads it. Takes some milliseconds: the kernel walks the process's pages.
    pub fn read(at: Moment, shared: &Shared, alert_spool: u64) -> Self {
        let mut values = BTreeMap::new();
        let mut put = |name: &str, value: Option<u64>| {
            if let Some(value) = value {
                values.insert(name.to_owned(), value);
            }
        };
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
        put("resident_bytes", kibibytes(&status, "VmRSS"));
        put("proportional_bytes", kibibytes(&rollup, "Pss"));
        put("swapped_bytes", kibibytes(&status, "VmSwap"));
        put("umem_bytes", Some(pool_bytes()));
        let totals = shared.totals();
        put("held_frames_bytes", Some(totals.held_bytes));
        let lanes = Lane::ALL.iter().map(|lane| totals.lanes[lane.index()].statistics.flows);
        put("flows", Some(lanes.sum()));
        put(
            "queued_batches",
            Some(shared.threads.iter().map(|thread| thread.waiting.get()).sum()),
        );
        put("alert_spool_bytes", Some(alert_spool));
        if let Ok(heap) = heap::statistics() {
            put("heap_allocated_bytes", Some(heap.allocated));
            put("heap_active_bytes", Some(heap.active));
            put("heap_metadata_bytes", Some(heap.metadata));
            put("heap_resident_bytes", Some(heap.resident));
            put("heap_retained_bytes", Some(heap.retained));
        }
        Self { at, values }
    }
}

/// A field of proc(5), which is in KiB, in bytes.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// Memory before and after giving back what no allocation needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Released {
    /// Before.
    pub before: Memory,
    /// After.
    pub after: Memory,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc_are_kibibytes() {
        assert_eq!(kibibytes("VmRSS:\t  100 kB\nVmSwap:\t 8 kB\n", "VmSwap"), Some(8192));
        assert_eq!(kibibytes("VmRSSx: 1 kB\n", "VmRSS"), None);
    }

    #[test]
    fn what_is_read_names_its_unit() {
        let memory = Memory::read(Moment(1), &Shared::new(Vec::new(), 0), 7);
        assert_eq!(memory.values["alert_spool_bytes"], 7);
        assert!(memory.values["resident_bytes"] > 1 << 20);
        assert_eq!(memory.values["flows"], 0);
    }
}
