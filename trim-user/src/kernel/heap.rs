//! The allocator: what it holds, what it can give back, and whether it can be profiled.

use std::io;

use tikv_jemalloc_ctl::{epoch, stats};

/// The allocator of the `trim` binary. Tests have the system's.
pub type Allocator = tikv_jemallocator::Jemalloc;

/// For `#[global_allocator]`.
pub const ALLOCATOR: Allocator = tikv_jemallocator::Jemalloc;

/// Read by jemalloc when it starts: profiling can be turned on later, one sample is taken per 512 KiB allocated. Until
/// then an allocation costs one comparison more.
// SAFETY: jemalloc declares this name weakly as a pointer to a NUL-terminated string; the first word of a slice reference is
// such a pointer. Nothing else defines it, and nobody writes it.
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static SETTINGS: &[u8] = b"prof:true,prof_active:false,lg_prof_sample:19\0";

/// Purges all arenas: `arena.<MALLCTL_ARENAS_ALL>.purge`.
const PURGE: &[u8] = b"arena.4096.purge\0";

/// What the allocator holds, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapStatistics {
    /// In allocations of the program.
    pub allocated: u64,
    /// In pages with at least one allocation.
    pub active: u64,
    /// For the allocator's own bookkeeping.
    pub metadata: u64,
    /// In physical memory.
    pub resident: u64,
    /// Unused, and kept as address space without memory.
    pub retained: u64,
}

/// What the allocator holds now.
///
/// # Errors
/// When the allocator was built without statistics.
pub fn statistics() -> io::Result<HeapStatistics> {
    let failed = |error: tikv_jemalloc_ctl::Error| io::Error::other(error.to_string());
    // The figures are those of the last turn of this counter.
    epoch::advance().map_err(failed)?;
    let read = |value: Result<usize, tikv_jemalloc_ctl::Error>| value.map(|bytes| bytes as u64).map_err(failed);
    Ok(HeapStatistics {
        allocated: read(stats::allocated::read())?,
        active: read(stats::active::read())?,
        metadata: read(stats::metadata::read())?,
        resident: read(stats::resident::read())?,
        retained: read(stats::retained::read())?,
    })
}

/// Gives all memory that no allocation needs back to the system.
///
/// # Errors
/// When the allocator refuses.
pub fn release() -> io::Result<()> {
    let (old, length, new) = (std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the name is NUL-terminated, and this control neither reads nor writes a value (jemalloc(3)), so all three
    // pointers are null, as it demands.
    let result = unsafe { tikv_jemalloc_sys::mallctl(PURGE.as_ptr().cast(), old, length, new, 0) };
    match result {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
