//! Memory shared with the kernel.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};

/// Size of a huge page, bytes.
const HUGE_PAGE: usize = 2 << 20;

/// Bytes of all frame pools of this process.
static POOLS: AtomicU64 = AtomicU64::new(0);

/// Bytes of all frame pools that this process has at the moment.
pub fn pool_bytes() -> u64 {
    POOLS.load(Ordering::Relaxed)
}

/// A mapping that lives as long as this value.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
    /// What of it is in [`POOLS`], bytes.
    counted: u64,
}

// SAFETY: a mapping belongs to the process, not to a thread; who may touch which bytes is decided by its users.
unsafe impl Send for Mapping {}
// SAFETY: as above; this type itself only gives out the address.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Zeroed memory for the frame pool, all of it present. It is kept out of core files, because it holds other
    /// people's traffic, and out of child processes.
    pub(super) fn anonymous(length: usize, huge: bool) -> io::Result<Self> {
        let (length, huge_flags) = if huge {
            (
                length.next_multiple_of(HUGE_PAGE),
                libc::MAP_HUGETLB | libc::MAP_HUGE_2MB,
            )
        } else {
            (length, 0)
        };
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE | huge_flags;
        let mut mapping = Self::new(length, flags, -1, 0)?;
        mapping.counted = length as u64;
        POOLS.fetch_add(mapping.counted, Ordering::Relaxed);
        for advice in [libc::MADV_DONTDUMP, libc::MADV_DONTFORK] {
            // SAFETY: the range is exactly the mapping made above; the advice changes no byte of it.
            let result = unsafe { libc::madvise(mapping.start.as_ptr().cast(), mapping.length, advice) };
            super::super::syscall::check(result)?;
        }
        Ok(mapping)
    }

    /// A ring of the socket `fd`.
    pub(super) fn ring(fd: BorrowedFd<'_>, length: usize, offset: libc::off_t) -> io::Result<Self> {
        Self::new(length, libc::MAP_SHARED | libc::MAP_POPULATE, fd.as_raw_fd(), offset)
    }

    fn new(length: usize, flags: libc::c_int, fd: libc::c_int, offset: libc::off_t) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: without MAP_FIXED the kernel chooses an unused range, so no existing memory is affected.
        let start = unsafe { libc::mmap(null_mut(), length, protection, flags, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mmap returned address 0"))?;
        Ok(Self {
            start,
            length,
            counted: 0,
        })
    }

    /// The first byte; page-aligned.
    #[inline]
    pub(super) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        POOLS.fetch_sub(self.counted, Ordering::Relaxed);
        // SAFETY: the range is exactly what `mmap` returned, and no reference into it outlives its users, all of which
        // hold this value. The kernel keeps its own references to the pages it still needs.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
