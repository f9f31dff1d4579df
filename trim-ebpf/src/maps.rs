//! The BPF maps. Names, sizes and value types are shared with user space: `trim_common::maps`.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, LruHashMap, PerCpuArray, XskMap};
use trim_common::assign::FlowState;
use trim_common::cut::{CutKey, CutRange};
use trim_common::flow::FlowKey;
use trim_common::maps::{CUTS_MAX, Counters, FLOWS_DEFAULT, PORT_WORDS, PolicyWord, SOCKETS_MAX, Setup, port_bit};

use crate::ctx::Scratch;

#[map]
static POLICY: Array<u64> = Array::with_max_entries(1, 0);
#[map]
static SETUP: Array<Setup> = Array::with_max_entries(1, 0);
#[map]
static PORTS: Array<u64> = Array::with_max_entries(PORT_WORDS, 0);
#[map]
static LEASE: Array<u64> = Array::with_max_entries(1, 0);
#[map]
static LEASE_LOGGED: Array<u64> = Array::with_max_entries(1, 0);
#[map]
pub static FLOWS: LruHashMap<FlowKey, FlowState> = LruHashMap::with_max_entries(FLOWS_DEFAULT, 0);
#[map]
pub static CUTS: LruHashMap<CutKey, CutRange> = LruHashMap::with_max_entries(CUTS_MAX, 0);
#[map]
static CUTS_UNTIL: Array<u64> = Array::with_max_entries(1, 0);
#[map]
pub static COUNTERS: PerCpuArray<Counters> = PerCpuArray::with_max_entries(1, 0);
/// See [`ctx`](crate::ctx).
#[map]
pub static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub static SOCKETS: XskMap = XskMap::with_max_entries(SOCKETS_MAX, 0);

/// The policy in force.
#[inline(always)]
pub fn policy() -> PolicyWord {
    PolicyWord::from_bits(read_word(&POLICY, 0))
}

/// The settings.
#[inline(always)]
pub fn setup() -> Option<&'static Setup> {
    SETUP.get(0)
}

/// When the lease was last renewed.
#[inline(always)]
pub fn lease() -> u64 {
    read_word(&LEASE, 0)
}

/// From when on no published range holds.
#[inline(always)]
pub fn cuts_until() -> u64 {
    read_word(&CUTS_UNTIL, 0)
}

/// Remembers that the end of the renewal `renewed` is logged; whether it was not yet.
#[inline(always)]
pub fn log_lease_once(renewed: u64) -> bool {
    let Some(logged) = LEASE_LOGGED.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: `logged` points at a map value of 8 aligned bytes, which lives as long as the program.
    let before = unsafe { logged.read_volatile() };
    if before == renewed {
        return false;
    }
    // SAFETY: as above. Two CPUs that race here log the same event twice, no worse.
    unsafe { logged.write_volatile(renewed) };
    true
}

/// Whether the port is one of those configured.
#[inline(always)]
pub fn is_http_port(port: u16) -> bool {
    let (word, bit) = port_bit(port);
    read_word(&PORTS, word) & bit != 0
}

/// A word that user space may change at any time.
#[inline(always)]
fn read_word(map: &Array<u64>, index: u32) -> u64 {
    match map.get_ptr(index) {
        // SAFETY: the pointer is to a map value of 8 aligned bytes, which lives as long as the program; the kernel
        // writes such a value with one store, so that no half of it is seen.
        Some(word) => unsafe { word.read_volatile() },
        None => 0,
    }
}
