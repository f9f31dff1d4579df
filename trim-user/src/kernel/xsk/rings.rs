//! The single-producer, single-consumer rings that a socket shares with the kernel.
//!
//! Each side owns one free-running 32-bit index and reads the other's. An index is published with a release store after
//! the entries before it were written (or read), and read with an acquire load, which is the pairing that
//! net/xdp/xsk_queue.h documents for the kernel's side. No operation here makes a system call.

use std::marker::PhantomData;
use std::mem::{align_of, size_of};
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::XskError;
use super::memory::Mapping;

/// Most packets that the kernel takes from a driver at once (NAPI_POLL_WEIGHT, include/linux/netdevice.h).
const POLL: u32 = 64;

/// Where a ring is found: its name for errors, the kernel's offsets and its size.
#[derive(Clone, Copy, Debug)]
pub(super) struct RingSpot {
    pub(super) name: &'static str,
    pub(super) offsets: libc::xdp_ring_offset,
    /// What to give `mmap` as the offset, `XDP_PGOFF_*`.
    pub(super) page_offset: libc::off_t,
    /// Entries; a power of two.
    pub(super) entries: u32,
}

/// The mapped memory of a ring with entries of type `T`.
#[derive(Debug)]
struct Ring<T> {
    /// Keeps the memory behind the pointers alive.
    _mapping: Mapping,
    producer: NonNull<AtomicU32>,
    consumer: NonNull<AtomicU32>,
    flags: NonNull<AtomicU32>,
    entries: NonNull<T>,
    size: u32,
    _entry: PhantomData<T>,
}

// SAFETY: the pointers lead into `_mapping`, which is not bound to a thread; a ring has one owner at a time.
unsafe impl<T: Send> Send for Ring<T> {}
impl<T: Copy> Ring<T> {
    fn map(fd: BorrowedFd<'_>, spot: RingSpot) -> Result<Self, XskError> {
        let libc::xdp_ring_offset {
            producer,
            consumer,
            desc,
            flags,
        } = spot.offsets;
        let bad = || XskError::RingLayout {
            ring: spot.name,
            offsets: [producer, consumer, flags, desc],
        };
        let bytes = spot.entries as usize * size_of::<T>();
        let table = usize::try_from(desc).map_err(|_| bad())?;
        let length = table
            .checked_add(bytes)
            .filter(|_| table.is_multiple_of(align_of::<T>()))
            .ok_or_else(bad)?;
        for index in [producer, consumer, flags] {
            // The three words lie in front of the entries, each on its own place and aligned.
            if !index.is_multiple_of(4) || index.checked_add(4).is_none_or(|end| end > desc) {
                return Err(bad());
            }
        }
        let mapping = Mapping::ring(fd, length, spot.page_offset).map_err(|source| XskError::MapRing {
            ring: spot.name,
            source,
        })?;
        let start = mapping.start();
        // SAFETY: checked above: the word ends at or before `desc`, which is inside the mapping of `length` bytes.
        let word = |offset: u64| unsafe { start.add(offset as usize) }.cast::<AtomicU32>();
        // SAFETY: `desc + entries * size_of::<T>()` is the length of the mapping.
        let entries = unsafe { start.add(table) }.cast::<T>();
        let (producer, consumer, flags) = (word(producer), word(consumer), word(flags));
        Ok(Self {
            _mapping: mapping,
            producer,
            consumer,
            flags,
            entries,
            size: spot.entries,
            _entry: PhantomData,
        })
    }

    #[inline]
    fn producer(&self) -> &AtomicU32 {
        // SAFETY: `map` put the pointer inside the mapping and aligned; the kernel, too, treats the word as atomic.
        unsafe { self.producer.as_ref() }
    }

    #[inline]
    fn consumer(&self) -> &AtomicU32 {
        // SAFETY: as for `producer`.
        unsafe { self.consumer.as_ref() }
    }

    #[inline]
    fn flags(&self) -> &AtomicU32 {
        // SAFETY: as for `producer`.
        unsafe { self.flags.as_ref() }
    }

    /// As many entries as the kernel takes or fills at once; fewer in a small ring, which would otherwise never be at rest.
    #[inline]
    fn few(&self) -> u32 {
        POLL.min(self.size / 8)
    }

    /// The place of the entry with this free-running index.
    #[inline]
    fn entry(&self, index: u32) -> NonNull<T> {
        // SAFETY: the masked index is below `size`, a power of two, and the mapping holds `size` entries.
        unsafe { self.entries.add((index & (self.size - 1)) as usize) }
    }

    /// Copies of the entries from index `from` up to `to`, for accounting.
    fn entries_between(&self, from: u32, to: u32) -> impl Iterator<Item = T> + '_ {
        let count = to.wrapping_sub(from).min(self.size);
        (0..count).map(move |step| {
            // SAFETY: `entry` is inside the mapping and aligned; `T` is plain data. Callers pass the range between
            // consumer and producer, whose entries the producing side does not touch; user space is one of the two
            // sides and does not, because the ring is borrowed.
            unsafe { self.entry(from.wrapping_add(step)).read() }
        })
    }
}

/// The user's end of a ring that the kernel consumes (fill).
#[derive(Debug)]
pub(super) struct Producer<T> {
    ring: Ring<T>,
    /// Our own index; nobody else writes it.
    produced: u32,
    /// The kernel's index as last seen.
    consumed: u32,
}

impl<T: Copy> Producer<T> {
    /// Maps the ring.
    pub(super) fn map(fd: BorrowedFd<'_>, spot: RingSpot) -> Result<Self, XskError> {
        let ring = Ring::map(fd, spot)?;
        let (produced, consumed) = (
            ring.producer().load(Ordering::Acquire),
            ring.consumer().load(Ordering::Acquire),
        );
        Ok(Self {
            ring,
            produced,
            consumed,
        })
    }

    /// Entries that can be written now. The kernel's index is read only when fewer than `wanted` are known to be free.
    #[inline]
    pub(super) fn room(&mut self, wanted: u32) -> u32 {
        let known = self.ring.size - self.produced.wrapping_sub(self.consumed);
        if known >= wanted {
            return known;
        }
        self.consumed = self.ring.consumer().load(Ordering::Acquire);
        self.ring.size.saturating_sub(self.produced.wrapping_sub(self.consumed))
    }

    /// Writes up to `most` entries from `source` and publishes them together; returns how many.
    #[inline]
    pub(super) fn produce(&mut self, most: u32, mut source: impl FnMut() -> Option<T>) -> u32 {
        let room = self.room(most).min(most);
        let mut written = 0;
        while written < room {
            let Some(value) = source() else { break };
            // SAFETY: the entry is inside the mapping, and free: `room` says that the kernel has consumed it, with
            // acquire ordering, and will not look at it before the release store below.
            unsafe { self.ring.entry(self.produced.wrapping_add(written)).write(value) };
            written += 1;
        }
        self.produced = self.produced.wrapping_add(written);
        self.ring.producer().store(self.produced, Ordering::Release);
        written
    }

    /// Entries that the kernel has not consumed yet.
    pub(super) fn pending(&self) -> u32 {
        self.produced
            .wrapping_sub(self.ring.consumer().load(Ordering::Acquire))
            .min(self.ring.size)
    }

    /// Whether there is hardly an entry left for what the kernel brings at once.
    #[inline]
    pub(super) fn is_nearly_empty(&self) -> bool {
        self.pending() < self.ring.few()
    }

    /// Whether the kernel wants a system call before it looks at the ring again.
    #[inline]
    pub(super) fn needs_wakeup(&self) -> bool {
        self.ring.flags().load(Ordering::Relaxed) & libc::XDP_RING_NEED_WAKEUP != 0
    }

    /// Copies of the entries that the kernel has not consumed yet.
    pub(super) fn pending_entries(&self) -> impl Iterator<Item = T> + '_ {
        let from = self.produced.wrapping_sub(self.pending());
        self.ring.entries_between(from, self.produced)
    }
}

/// The user's end of a ring that the kernel fills (RX).
#[derive(Debug)]
pub(super) struct Consumer<T> {
    ring: Ring<T>,
    /// Our own index; nobody else writes it.
    consumed: u32,
    /// The kernel's index as last seen.
    produced: u32,
}

impl<T: Copy> Consumer<T> {
    /// Maps the ring.
    pub(super) fn map(fd: BorrowedFd<'_>, spot: RingSpot) -> Result<Self, XskError> {
        let ring = Ring::map(fd, spot)?;
        let (produced, consumed) = (
            ring.producer().load(Ordering::Acquire),
            ring.consumer().load(Ordering::Acquire),
        );
        Ok(Self {
            ring,
            consumed,
            produced,
        })
    }

    /// Takes up to `most` entries out, in order, and gives their places back together; returns how many.
    #[inline]
    pub(super) fn consume(&mut self, most: u32, mut sink: impl FnMut(T)) -> u32 {
        let mut ready = self.produced.wrapping_sub(self.consumed);
        if ready < most {
            self.produced = self.ring.producer().load(Ordering::Acquire);
            ready = self.produced.wrapping_sub(self.consumed).min(self.ring.size);
        }
        let count = ready.min(most);
        for _ in 0..count {
            // SAFETY: the entry is inside the mapping, and written: the kernel's index, read with acquire ordering,
            // has passed it, and the kernel will not touch it before the release store below.
            let value = unsafe { self.ring.entry(self.consumed).read() };
            // Counted before it is handed over: should `sink` panic, no entry is ever seen twice.
            self.consumed = self.consumed.wrapping_add(1);
            sink(value);
        }
        if count > 0 {
            self.ring.consumer().store(self.consumed, Ordering::Release);
        }
        count
    }

    /// Entries that wait here, as the kernel shows it right now.
    #[inline]
    pub(super) fn pending(&self) -> u32 {
        self.ring
            .producer()
            .load(Ordering::Acquire)
            .wrapping_sub(self.consumed)
            .min(self.ring.size)
    }

    /// Whether there is hardly room for what the kernel brings at once.
    #[inline]
    pub(super) fn is_nearly_full(&self) -> bool {
        self.pending() > self.ring.size - self.ring.few()
    }

    /// Copies of the entries that wait here.
    pub(super) fn pending_entries(&self) -> impl Iterator<Item = T> + '_ {
        self.ring
            .entries_between(self.consumed, self.consumed.wrapping_add(self.pending()))
    }
}
