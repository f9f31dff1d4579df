//! The metadata that XDP puts in front of each packet it steers.

/// Version of the layout of [`PacketTag`]; user space ignores a tag of any other version.
pub const TAG_VERSION: u8 = 1;

/// What XDP found out about a packet, in the 32 bytes in front of its first byte (`bpf_xdp_adjust_meta`).
///
/// Offsets count from the first byte of the frame; they are valid only where [`flags::TCP`] is set. No padding, so
/// that reading it from a frame is a plain copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct PacketTag {
    /// `bpf_ktime_get_ns()` (CLOCK_MONOTONIC) when the program ran, nanoseconds.
    pub kernel_time: u64,
    /// Length of the frame as it came, bytes; more than what is present when the kernel cut the body off.
    pub original_length: u32,
    /// [`FlowKey::hash`](crate::flow::FlowKey::hash) under the seed in force; 0 without [`flags::TCP`].
    pub flow_hash: u32,
    /// Generation in force when the flow was assigned.
    pub generation: u32,
    /// See [`flags`].
    pub flags: u16,
    /// Offset of the IP header.
    pub l3_offset: u16,
    /// Offset of the TCP header.
    pub l4_offset: u16,
    /// Offset of the TCP payload.
    pub payload_offset: u16,
    /// [`TAG_VERSION`].
    pub version: u8,
    /// [`Strategy::index`](crate::strategy::Strategy::index).
    pub strategy: u8,
    /// [`Direction::index`](crate::flow::Direction::index).
    pub direction: u8,
    /// The [`Mode`](crate::strategy::Mode) number under which the flow was assigned; it tells the worker whether to
    /// run one trimmer, both (`comparison`) or the better of the two (`auto`).
    pub mode: u8,
}

/// Size of the tag, bytes: the most metadata the kernel allows (`xdp_metalen_invalid`, include/net/xdp.h).
pub const TAG_SIZE: usize = 32;

const _: () = assert!(core::mem::size_of::<PacketTag>() == TAG_SIZE);

/// Bits of [`PacketTag::flags`].
pub mod flags {
    /// A whole TCP header was found; key fields and offsets are valid.
    pub const TCP: u16 = 1 << 0;
    /// The flow is HTTP: by port or by its first bytes.
    pub const HTTP: u16 = 1 << 1;
    /// IPv6 (else IPv4).
    pub const IPV6: u16 = 1 << 2;
    /// At least one VLAN tag.
    pub const VLAN: u16 = 1 << 3;
    /// A fragment of an IP datagram.
    pub const FRAGMENT: u16 = 1 << 4;
    /// First packet of the flow that the program saw.
    pub const FIRST: u16 = 1 << 5;
    /// The kernel cut body bytes off the end of the frame.
    pub const SHORTENED: u16 = 1 << 6;
    /// The lease was stale: the strategy is the fallback, not the assigned one.
    pub const LEASE_STALE: u16 = 1 << 7;
}

impl PacketTag {
    /// The tag in these bytes; `None` when they are of another version (or no tag at all).
    pub fn from_bytes(bytes: &[u8; TAG_SIZE]) -> Option<Self> {
        let [
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            t6,
            t7,
            l0,
            l1,
            l2,
            l3,
            h0,
            h1,
            h2,
            h3,
            g0,
            g1,
            g2,
            g3,
            f0,
            f1,
            n0,
            n1,
            o0,
            o1,
            p0,
            p1,
            version,
            strategy,
            direction,
            mode,
        ] = *bytes;
        (version == TAG_VERSION).then_some(Self {
            kernel_time: u64::from_ne_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            original_length: u32::from_ne_bytes([l0, l1, l2, l3]),
            flow_hash: u32::from_ne_bytes([h0, h1, h2, h3]),
            generation: u32::from_ne_bytes([g0, g1, g2, g3]),
            flags: u16::from_ne_bytes([f0, f1]),
            l3_offset: u16::from_ne_bytes([n0, n1]),
            l4_offset: u16::from_ne_bytes([o0, o1]),
            payload_offset: u16::from_ne_bytes([p0, p1]),
            version,
            strategy,
            direction,
            mode,
        })
    }
}
