//! One AF_XDP socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use super::error::XskError;
use super::rings::{Consumer, Producer, RingSpot};
use super::settings::{BindMode, BusyPoll, Settings};
use super::umem::Umem;
use crate::kernel::syscall::{self, Plain};

// SAFETY: four integers in natural alignment, 16 bytes.
unsafe impl Plain for libc::sockaddr_xdp {}
// SAFETY: two 64-bit and four 32-bit integers, 32 bytes, no padding.
unsafe impl Plain for libc::xdp_umem_reg {}
// SAFETY: sixteen 64-bit integers.
unsafe impl Plain for libc::xdp_mmap_offsets {}
// SAFETY: six 64-bit integers.
unsafe impl Plain for libc::xdp_statistics {}
// SAFETY: one 32-bit integer.
unsafe impl Plain for libc::xdp_options {}

/// `SOL_SOCKET` options for busy polling (include/uapi/asm-generic/socket.h), not in `libc` for every platform.
const SO_BUSY_POLL: libc::c_int = 46;
const SO_PREFER_BUSY_POLL: libc::c_int = 69;
const SO_BUSY_POLL_BUDGET: libc::c_int = 70;

/// A closed queue is released by the kernel in the background (`xp_put_pool`, net/xdp/xsk_buff_pool.c); a queue that is
/// busy may be so for this long.
const RELEASE_PATIENCE: Duration = Duration::from_secs(2);
const RELEASE_PAUSE: Duration = Duration::from_millis(2);

/// Entries of the completion ring, which a pool must have but reception never uses.
const COMPLETION_RING: u32 = 64;

/// How packets get into the frame pool, as it turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum XskMode {
    /// The device writes into the pool.
    ZeroCopy,
    /// The kernel copies.
    Copy,
}

impl XskMode {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZeroCopy => "zero_copy",
            Self::Copy => "copy",
        }
    }
}

/// A socket with its RX ring, before or after `bind`.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
    pub(super) rx: Consumer<libc::xdp_desc>,
}

impl Socket {
    /// Creates the socket and its RX ring.
    pub(super) fn new(settings: &Settings) -> Result<Self, XskError> {
        let fd = syscall::socket(libc::AF_XDP, libc::SOCK_RAW, 0).map_err(|source| XskError::Create { source })?;
        let entries = settings.options().rx_ring;
        set(fd.as_fd(), libc::XDP_RX_RING, "XDP_RX_RING", &entries, entries.into())?;
        let offsets = mmap_offsets(fd.as_fd())?.rx;
        let spot = RingSpot {
            name: "RX",
            offsets,
            page_offset: libc::XDP_PGOFF_RX_RING,
            entries,
        };
        let rx = Consumer::map(fd.as_fd(), spot)?;
        if let Some(busy_poll) = settings.options().busy_poll {
            set_busy_poll(fd.as_fd(), busy_poll)?;
        }
        Ok(Self { fd, rx })
    }

    /// Registers the pool with this socket and gives it its fill ring (and a completion ring), before `bind`.
    pub(super) fn register(&self, umem: &Umem) -> Result<Producer<u64>, XskError> {
        let options = *umem.settings().options();
        let region = libc::xdp_umem_reg {
            addr: umem.start(),
            len: umem.settings().pool_bytes() as u64,
            chunk_size: options.frame_size,
            headroom: options.headroom,
            flags: 0,
            tx_metadata_len: 0,
        };
        set(self.as_fd(), libc::XDP_UMEM_REG, "XDP_UMEM_REG", &region, region.len)?;
        let entries = options.fill_ring;
        set(
            self.as_fd(),
            libc::XDP_UMEM_FILL_RING,
            "XDP_UMEM_FILL_RING",
            &entries,
            entries.into(),
        )?;
        let unused = COMPLETION_RING;
        set(
            self.as_fd(),
            libc::XDP_UMEM_COMPLETION_RING,
            "XDP_UMEM_COMPLETION_RING",
            &unused,
            unused.into(),
        )?;
        let offsets = mmap_offsets(self.as_fd())?.fr;
        let page_offset = libc::XDP_UMEM_PGOFF_FILL_RING as libc::off_t;
        Producer::map(
            self.as_fd(),
            RingSpot {
                name: "fill",
                offsets,
                page_offset,
                entries,
            },
        )
    }

    /// Binds the socket that registered the pool: zero-copy first unless copy is asked for, then copy unless zero-copy
    /// is asked for. Returns why zero-copy was refused when it was tried in vain.
    pub(super) fn bind_first(&self, interface: u32, queue: u32, mode: BindMode) -> Result<Option<io::Error>, XskError> {
        let bind = |flag| {
            let address = address(interface, queue, flag | libc::XDP_USE_NEED_WAKEUP, 0);
            bind_patiently(self.as_fd(), &address)
        };
        let failed = |source| XskError::Bind {
            interface,
            queue,
            mode,
            source,
        };
        let refusal = match mode {
            BindMode::Copy => None,
            BindMode::Auto | BindMode::ZeroCopy => match bind(libc::XDP_ZEROCOPY) {
                Ok(()) => return Ok(None),
                Err(refusal) if mode == BindMode::ZeroCopy => return Err(failed(refusal)),
                Err(refusal) => Some(refusal),
            },
        };
        bind(libc::XDP_COPY).map_err(failed)?;
        Ok(refusal)
    }

    /// Binds this socket to the queue and the pool of `first`, with its rings and its mode.
    pub(super) fn bind_shared(
        &self,
        interface: u32,
        queue: u32,
        mode: BindMode,
        first: &Socket,
    ) -> Result<(), XskError> {
        use std::os::fd::AsRawFd;
        let shared = first.fd.as_raw_fd().cast_unsigned();
        let address = address(interface, queue, libc::XDP_SHARED_UMEM, shared);
        bind_patiently(self.as_fd(), &address).map_err(|source| XskError::Bind {
            interface,
            queue,
            mode,
            source,
        })
    }

    /// Makes the driver look at the fill ring again, in the way the need-wakeup protocol asks for.
    pub(super) fn wake(&self) {
        // The outcome does not matter: on an error (interface down) there is nothing to wake, and the caller finds out
        // by other means.
        let _ = syscall::receive(self.as_fd(), &mut [], libc::MSG_DONTWAIT);
    }

    /// The error that the kernel keeps for this socket since the last call: `ENETDOWN` when its interface was removed
    /// (`xsk_notifier`, net/xdp/xsk.c).
    pub(super) fn take_error(&self) -> Option<io::Error> {
        match syscall::option::<libc::c_int>(self.as_fd(), libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(0) => None,
            Ok(code) => Some(io::Error::from_raw_os_error(code)),
            Err(error) => Some(error),
        }
    }

    /// What the kernel says it does, copy or zero-copy.
    pub(super) fn mode(&self) -> Result<XskMode, XskError> {
        let options: libc::xdp_options =
            syscall::option(self.as_fd(), libc::SOL_XDP, libc::XDP_OPTIONS).map_err(|source| XskError::Option {
                option: "XDP_OPTIONS",
                value: 0,
                source,
            })?;
        let zero_copy = options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0;
        Ok(if zero_copy { XskMode::ZeroCopy } else { XskMode::Copy })
    }

    /// A second descriptor of the same socket.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn address(interface: u32, queue: u32, flags: u16, shared: u32) -> libc::sockaddr_xdp {
    libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        sxdp_flags: flags,
        sxdp_ifindex: interface,
        sxdp_queue_id: queue,
        sxdp_shared_umem_fd: shared,
    }
}

fn bind_patiently(fd: BorrowedFd<'_>, address: &libc::sockaddr_xdp) -> io::Result<()> {
    let deadline = Instant::now() + RELEASE_PATIENCE;
    loop {
        match syscall::bind(fd, address) {
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && Instant::now() < deadline => {
                thread::sleep(RELEASE_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

fn set<T: Plain>(
    fd: BorrowedFd<'_>,
    name: libc::c_int,
    option: &'static str,
    value: &T,
    shown: u64,
) -> Result<(), XskError> {
    syscall::set_option(fd, libc::SOL_XDP, name, value).map_err(|source| XskError::Option {
        option,
        value: shown,
        source,
    })
}

fn set_busy_poll(fd: BorrowedFd<'_>, busy_poll: BusyPoll) -> Result<(), XskError> {
    for (name, option, value) in [
        (SO_PREFER_BUSY_POLL, "SO_PREFER_BUSY_POLL", 1),
        (SO_BUSY_POLL, "SO_BUSY_POLL", busy_poll.microseconds),
        (SO_BUSY_POLL_BUDGET, "SO_BUSY_POLL_BUDGET", busy_poll.budget),
    ] {
        syscall::set_option(fd, libc::SOL_SOCKET, name, &value).map_err(|source| XskError::Option {
            option,
            value: value.into(),
            source,
        })?;
    }
    Ok(())
}

fn mmap_offsets(fd: BorrowedFd<'_>) -> Result<libc::xdp_mmap_offsets, XskError> {
    syscall::option(fd, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS).map_err(|source| XskError::Option {
        option: "XDP_MMAP_OFFSETS",
        value: 0,
        source,
    })
}
