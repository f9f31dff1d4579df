//! What can go wrong with AF_XDP.

use std::io;

use super::settings::BindMode;

/// A queue's AF_XDP sockets or their frame pool could not be made or used.
#[derive(Debug, thiserror::Error)]
pub enum XskError {
    /// Chunks of this size are refused by the kernel (net/xdp/xdp_umem.c, `xdp_umem_reg`).
    #[error("frame_size {0} is not possible: use 2048 or 4096 bytes")]
    FrameSize(u32),
    /// The pool would be empty or too large to address.
    #[error("frames_per_queue {count} is not possible with frames of {frame_size} bytes: use 1 to {most}")]
    FrameCount {
        /// The value asked for.
        count: u32,
        /// Bytes per frame.
        frame_size: u32,
        /// The largest possible value.
        most: u32,
    },
    /// No room for packets would be left.
    #[error("headroom {headroom} is not possible with frames of {frame_size} bytes: use 0 to {most}, a multiple of 8")]
    Headroom {
        /// The value asked for, bytes.
        headroom: u32,
        /// Bytes per frame.
        frame_size: u32,
        /// The largest possible value.
        most: u32,
    },
    /// Rings have a power of two of entries.
    #[error("{ring} {entries} is not possible: use a power of two from 2 to {most}")]
    RingSize {
        /// The name of the setting.
        ring: &'static str,
        /// The value asked for.
        entries: u32,
        /// The largest possible value.
        most: u32,
    },
    /// Packets of the interface are longer than a frame holds; the kernel would drop them.
    #[error(
        "packets of up to {needed} bytes (MTU {mtu}, Ethernet, two VLAN tags) do not fit into frames of {frame_size} \
         bytes, which hold {capacity}: set frame_size to 4096 or lower the MTU of the interface"
    )]
    MtuTooLarge {
        /// MTU of the interface, bytes.
        mtu: u32,
        /// Longest frame on that interface, bytes.
        needed: u32,
        /// Bytes per frame.
        frame_size: u32,
        /// Packet bytes that fit into a frame.
        capacity: u32,
    },
    /// The pool's memory could not be mapped.
    #[error("cannot map {bytes} bytes of {pages} for the frame pool: {source}; {remedy}")]
    Memory {
        /// Size of the mapping.
        bytes: usize,
        /// Which pages were asked for.
        pages: &'static str,
        /// What to do.
        remedy: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// `socket(AF_XDP)` failed.
    #[error("cannot create an AF_XDP socket: {source}; {}", socket_remedy(.source))]
    Create {
        /// What the system said.
        source: io::Error,
    },
    /// A socket option was refused.
    #[error("AF_XDP socket option {option} ({value}) was refused: {source}; {}", option_remedy(.source))]
    Option {
        /// The kernel's name of the option.
        option: &'static str,
        /// The value handed over.
        value: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A ring could not be mapped.
    #[error("cannot map the {ring} ring of an AF_XDP socket: {source}")]
    MapRing {
        /// Which ring.
        ring: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel describes a ring in a way this program does not understand.
    #[error(
        "the kernel describes the {ring} ring as {offsets:?}, which does not fit into its memory; this kernel is not supported"
    )]
    RingLayout {
        /// Which ring.
        ring: &'static str,
        /// Offsets of producer, consumer, flags and entries.
        offsets: [u64; 4],
    },
    /// The socket could not be bound to the queue.
    #[error(
        "cannot bind an AF_XDP socket ({mode}) to queue {queue} of interface {interface}: {source}; {}",
        bind_remedy(.source)
    )]
    Bind {
        /// Index of the interface.
        interface: u32,
        /// The RX queue.
        queue: u32,
        /// What was asked for.
        mode: BindMode,
        /// What the system said.
        source: io::Error,
    },
    /// Counters could not be read.
    #[error("cannot read the counters of an AF_XDP socket: {source}")]
    Statistics {
        /// What the system said.
        source: io::Error,
    },
    /// Waiting for packets failed.
    #[error("cannot wait for packets: {source}")]
    Wait {
        /// What the system said.
        source: io::Error,
    },
    /// Every pool of a process has a number of its own that is never used again.
    #[error("this process has opened 65536 frame pools; restart it")]
    TooManyPools,
}

fn socket_remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => "run as root or with CAP_NET_RAW",
        Some(libc::EAFNOSUPPORT) => "this kernel was built without CONFIG_XDP_SOCKETS",
        _ => "check the limit of open files",
    }
}

fn option_remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::ENOBUFS | libc::EPERM) => "run with CAP_IPC_LOCK or raise the limit of locked memory (ulimit -l)",
        Some(libc::ENOMEM) => "the machine is short of memory: lower frames_per_queue or ring_size",
        Some(libc::EINVAL | libc::ENOPROTOOPT) => {
            "this kernel does not know the option or the value; 6.1 or newer is needed"
        }
        _ => "see the kernel log",
    }
}

fn bind_remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc::EBUSY) => "another program has AF_XDP sockets on this queue: stop it (`ss --xdp` may show it)",
        Some(libc::EINVAL) => "the queue does not exist (`ethtool -l`), or the MTU is too large for zero-copy frames",
        Some(libc::ENODEV) => "the interface is gone",
        Some(libc::EOPNOTSUPP) => "the driver has no zero-copy mode here: set bind to auto or copy",
        Some(libc::EPERM) => "run as root or with CAP_NET_RAW",
        Some(libc::ENETDOWN) => "bring the interface up (`ip link set DEV up`)",
        _ => "see the kernel log",
    }
}
