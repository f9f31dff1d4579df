//! Checked views of Ethernet, VLAN, IPv4, IPv6 and TCP headers, and the walk from one to the next.
//!
//! The same code runs in the XDP program and over slices: [`Frame`] is all it needs of a frame. Each view is checked
//! once, when it is made; what it then answers cannot be out of bounds.

use crate::flow::{AddressWords, Direction, FlowKey, map_ipv4_words};
use crate::frame::{Bytes as _, Frame, MAX_OFFSET};
use crate::tag::flags;

/// Most VLAN tags in front of the IP header.
pub const MAX_VLANS: u32 = 4;
/// Most IPv6 extension headers; RFC 8200 section 4.1 recommends an order with seven.
pub const MAX_EXTENSIONS: u32 = 8;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A TCP segment with a whole TCP header.
    Tcp,
    /// A fragment of an IP datagram that may carry TCP.
    Fragment,
    /// IP, and neither TCP nor anything TCP could hide in.
    NotTcp,
    /// Neither IP nor anything IP could hide in.
    NotIp,
    /// A tunnel (MPLS, PPPoE, GRE, IP in IP): it may carry HTTP that is not looked for.
    Encapsulated,
    /// The frame ends within a header.
    Truncated,
    /// A header contradicts itself.
    Malformed,
    /// More VLAN tags or extension headers than are followed.
    TooDeep,
}

/// A frame's content and what was met on the way to it.
///
/// Not an enum with the segment inside: a copy of such a value would copy bytes that were never written, which the
/// kernel's verifier refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dissected {
    /// [`flags::VLAN`], [`flags::IPV6`] and [`flags::FRAGMENT`], as far as the frame could be followed.
    pub flags: u16,
    /// What the frame holds.
    pub content: Content,
    /// The segment; all zero unless the content is [`Content::Tcp`].
    pub tcp: Tcp,
}

/// A TCP segment's place in its frame and the header fields that the program needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// The flow.
    pub key: FlowKey,
    /// Which endpoint sent the segment.
    pub direction: Direction,
    /// The flag byte (RFC 9293 section 3.1).
    pub tcp_flags: u8,
    /// Offset of the IP header.
    pub l3_offset: u16,
    /// Offset of the TCP header.
    pub l4_offset: u16,
    /// Offset of the first payload byte.
    pub payload_offset: u16,
    /// Payload bytes in the frame, without link-layer padding.
    pub payload_length: u32,
    /// Sequence number.
    pub sequence: u32,
}

impl Tcp {
    pub(crate) const NONE: Self = Self {
        key: FlowKey {
            low_address: [0; 16],
            high_address: [0; 16],
            low_port: 0,
            high_port: 0,
        },
        direction: Direction::Up,
        tcp_flags: 0,
        l3_offset: 0,
        l4_offset: 0,
        payload_offset: 0,
        payload_length: 0,
        sequence: 0,
    };

    const SYN: u8 = 0x02;
    const ACK: u8 = 0x10;

    /// Whether SYN is set.
    #[inline(always)]
    pub const fn syn(&self) -> bool {
        self.tcp_flags & Self::SYN != 0
    }

    /// Whether the segment asks for a new connection: SYN without ACK.
    #[inline(always)]
    pub const fn opens(&self) -> bool {
        self.tcp_flags & (Self::SYN | Self::ACK) == Self::SYN
    }

    /// Sequence number of the first payload byte: SYN takes one number of its own (RFC 9293 section 3.4).
    #[inline(always)]
    pub const fn payload_sequence(&self) -> u32 {
        self.sequence.wrapping_add(self.syn() as u32)
    }
}

mod ether_type {
    pub(super) const IPV4: u16 = 0x0800;
    pub(super) const IPV6: u16 = 0x86dd;
    pub(super) const MPLS: u16 = 0x8847;
    pub(super) const MPLS_MULTICAST: u16 = 0x8848;
    pub(super) const PPPOE: u16 = 0x8864;

    /// IEEE 802.1Q, 802.1ad, and the number QinQ used before 802.1ad.
    #[inline(always)]
    pub(super) const fn is_vlan(ether_type: u16) -> bool {
        matches!(ether_type, 0x8100 | 0x88a8 | 0x9100)
    }
}

mod protocol {
    pub(super) const IP_IN_IP: u8 = 4;
    pub(super) const TCP: u8 = 6;
    pub(super) const IPV6_IN_IP: u8 = 41;
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const GRE: u8 = 47;
    pub(super) const AUTHENTICATION: u8 = 51;
    pub(super) const MPLS_IN_IP: u8 = 137;

    /// Extension headers whose second byte counts 8-byte units after the first 8 bytes: hop-by-hop, routing,
    /// destination options (RFC 8200), mobility, HIP, shim6 (the list of RFC 7045 section 4).
    #[inline(always)]
    pub(super) const fn is_plain_extension(next: u8) -> bool {
        matches!(next, 0 | 43 | 60 | 135 | 139 | 140)
    }

    #[inline(always)]
    pub(super) const fn is_extension(next: u8) -> bool {
        is_plain_extension(next) || next == FRAGMENT || next == AUTHENTICATION
    }

    /// Length of an extension header, bytes, by its own length field.
    #[inline(always)]
    pub(super) const fn extension_length(next: u8, field: u8) -> u32 {
        match next {
            FRAGMENT => 8,
            // RFC 4302 section 2.2: 4-byte units, minus 2.
            AUTHENTICATION => (field as u32 + 2) * 4,
            _ => (field as u32 + 1) * 8,
        }
    }

    #[inline(always)]
    pub(super) const fn is_tunnel(next: u8) -> bool {
        matches!(next, IP_IN_IP | IPV6_IN_IP | GRE | MPLS_IN_IP)
    }
}

/// The IPv4 header fields in use (RFC 791 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ipv4 {
    header_length: u32,
    /// 0 when the sender left it to segmentation offload.
    total_length: u32,
    fragment: bool,
    protocol: u8,
    source: u32,
    destination: u32,
}

impl Ipv4 {
    #[inline(always)]
    fn at<F: Frame + ?Sized>(frame: &F, offset: u32) -> Result<Self, Content> {
        let Some(bytes) = frame.bytes::<20>(offset) else {
            return Err(Content::Truncated);
        };
        let view = Self {
            header_length: (bytes.u8::<0>() & 0x0f) as u32 * 4,
            total_length: bytes.u16::<2>() as u32,
            // More-fragments, or an offset that is not 0; the reserved and the don't-fragment bit do not matter.
            fragment: bytes.u16::<6>() & 0x3fff != 0,
            protocol: bytes.u8::<9>(),
            source: bytes.u32::<12>(),
            destination: bytes.u32::<16>(),
        };
        let contradicts = view.total_length != 0 && view.total_length < view.header_length;
        if bytes.u8::<0>() >> 4 != 4 || view.header_length < 20 || contradicts {
            return Err(Content::Malformed);
        }
        Ok(view)
    }
}

/// The fixed IPv6 header (RFC 8200 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ipv6 {
    /// 0 for jumbograms and what segmentation offload has still to cut.
    payload_length: u32,
    next: u8,
    source: AddressWords,
    destination: AddressWords,
}

impl Ipv6 {
    const LENGTH: u32 = 40;

    #[inline(always)]
    fn at<F: Frame + ?Sized>(frame: &F, offset: u32) -> Result<Self, Content> {
        let Some(bytes) = frame.bytes::<40>(offset) else {
            return Err(Content::Truncated);
        };
        if bytes.u8::<0>() >> 4 != 6 {
            return Err(Content::Malformed);
        }
        let payload_length = bytes.u16::<4>() as u32;
        Ok(Self {
            payload_length,
            next: bytes.u8::<6>(),
            source: (bytes.u64::<8>(), bytes.u64::<16>()),
            destination: (bytes.u64::<24>(), bytes.u64::<32>()),
        })
    }
}

/// Where the transport header begins and where the datagram ends.
struct Transport {
    offset: u32,
    /// Offset behind the datagram's last byte: not more than the frame's length.
    end: u32,
    protocol: u8,
    source: AddressWords,
    destination: AddressWords,
}

/// Finds out what a frame holds.
#[inline(always)]
pub fn dissect<F: Frame + ?Sized>(frame: &F) -> Dissected {
    let mut found = Dissected {
        flags: 0,
        content: Content::Truncated,
        tcp: Tcp::NONE,
    };
    found.content = match dissect_link(frame, &mut found) {
        Ok(content) | Err(content) => content,
    };
    found
}

#[inline(always)]
fn dissect_link<F: Frame + ?Sized>(frame: &F, found: &mut Dissected) -> Result<Content, Content> {
    let (ether_type, offset) = skip_vlans(frame, found)?;
    let offset = frame.any(offset);
    let transport = match ether_type {
        ether_type::IPV4 => dissect_ipv4(frame, offset, found)?,
        ether_type::IPV6 => dissect_ipv6(frame, offset, found)?,
        ether_type::MPLS | ether_type::MPLS_MULTICAST | ether_type::PPPOE => return Ok(Content::Encapsulated),
        _ => return Ok(Content::NotIp),
    };
    dissect_transport(frame, offset, &transport, found)
}

/// The EtherType behind all VLAN tags and the offset behind it.
#[inline(always)]
fn skip_vlans<F: Frame + ?Sized>(frame: &F, found: &mut Dissected) -> Result<(u16, u32), Content> {
    let Some(ethernet) = frame.bytes::<14>(0) else {
        return Err(Content::Truncated);
    };
    let mut ether_type = ethernet.u16::<12>();
    let mut offset = 14;
    for _ in 0..frame.rounds(MAX_VLANS) {
        if !ether_type::is_vlan(ether_type) {
            return Ok((ether_type, offset));
        }
        found.flags |= flags::VLAN;
        let Some(tag) = frame.bytes::<4>(offset) else {
            return Err(Content::Truncated);
        };
        ether_type = tag.u16::<2>();
        offset = frame.any(offset + 4);
    }
    if ether_type::is_vlan(ether_type) {
        return Err(Content::TooDeep);
    }
    Ok((ether_type, offset))
}

#[inline(always)]
fn dissect_ipv4<F: Frame + ?Sized>(frame: &F, offset: u32, found: &mut Dissected) -> Result<Transport, Content> {
    let ip = Ipv4::at(frame, offset)?;
    if ip.fragment {
        found.flags |= flags::FRAGMENT;
        return Err(fragment_of(ip.protocol));
    }
    Ok(Transport {
        offset: frame.any(offset + ip.header_length),
        end: datagram_end(frame, offset, ip.total_length),
        protocol: ip.protocol,
        source: map_ipv4_words(ip.source),
        destination: map_ipv4_words(ip.destination),
    })
}

#[inline(always)]
fn dissect_ipv6<F: Frame + ?Sized>(frame: &F, offset: u32, found: &mut Dissected) -> Result<Transport, Content> {
    found.flags |= flags::IPV6;
    let ip = Ipv6::at(frame, offset)?;
    let total = if ip.payload_length == 0 {
        0
    } else {
        Ipv6::LENGTH + ip.payload_length
    };
    let end = datagram_end(frame, offset, total);
    let (offset, protocol) = skip_extensions(frame, offset + Ipv6::LENGTH, ip.next, found)?;
    Ok(Transport {
        offset,
        end,
        protocol,
        source: ip.source,
        destination: ip.destination,
    })
}

/// Offset behind a datagram; the whole rest of the frame when the header leaves the length open. A frame shorter than
/// its datagram ends it.
#[inline(always)]
fn datagram_end<F: Frame + ?Sized>(frame: &F, offset: u32, total_length: u32) -> u32 {
    let end = offset + total_length;
    if total_length == 0 || end > frame.length() {
        frame.length()
    } else {
        end
    }
}

/// Walks the extension headers from `offset` on: the offset behind them and the protocol there.
#[inline(always)]
fn skip_extensions<F: Frame + ?Sized>(
    frame: &F,
    mut offset: u32,
    mut next: u8,
    found: &mut Dissected,
) -> Result<(u32, u8), Content> {
    for _ in 0..frame.rounds(MAX_EXTENSIONS) {
        if !protocol::is_extension(next) {
            return Ok((offset, next));
        }
        if offset > MAX_OFFSET {
            return Err(Content::TooDeep);
        }
        let Some(header) = frame.bytes::<8>(offset) else {
            return Err(Content::Truncated);
        };
        // RFC 6946: a "fragment" without offset and successors is a whole datagram.
        if next == protocol::FRAGMENT && header.u16::<2>() & 0xfff9 != 0 {
            found.flags |= flags::FRAGMENT;
            return Err(fragment_of(header.u8::<0>()));
        }
        offset = frame.any(offset + protocol::extension_length(next, header.u8::<1>()));
        next = header.u8::<0>();
    }
    if protocol::is_extension(next) {
        return Err(Content::TooDeep);
    }
    Ok((offset, next))
}

/// What a fragment is, by the protocol its datagram carries.
#[inline(always)]
fn fragment_of(next: u8) -> Content {
    if next == protocol::TCP || protocol::is_extension(next) {
        Content::Fragment
    } else if protocol::is_tunnel(next) {
        Content::Encapsulated
    } else {
        Content::NotTcp
    }
}

#[inline(always)]
fn dissect_transport<F: Frame + ?Sized>(
    frame: &F,
    l3_offset: u32,
    transport: &Transport,
    found: &mut Dissected,
) -> Result<Content, Content> {
    if protocol::is_tunnel(transport.protocol) {
        return Ok(Content::Encapsulated);
    }
    if transport.protocol != protocol::TCP {
        return Ok(Content::NotTcp);
    }
    let offset = transport.offset;
    if offset > MAX_OFFSET {
        return Err(Content::TooDeep);
    }
    let Some(bytes) = frame.bytes::<20>(offset) else {
        return Err(Content::Truncated);
    };
    let header_length = (bytes.u8::<12>() >> 4) as u32 * 4;
    if header_length < 20 {
        return Err(Content::Malformed);
    }
    let payload_offset = offset + header_length;
    if payload_offset > transport.end {
        return Err(Content::Truncated);
    }
    let source_port = bytes.u16::<0>();
    let destination_port = bytes.u16::<2>();
    let (key, direction) = FlowKey::from_words(transport.source, source_port, transport.destination, destination_port);
    found.tcp = Tcp {
        key,
        direction,
        tcp_flags: bytes.u8::<13>(),
        l3_offset: l3_offset as u16,
        l4_offset: offset as u16,
        payload_offset: payload_offset as u16,
        payload_length: transport.end - payload_offset,
        sequence: bytes.u32::<4>(),
    };
    Ok(Content::Tcp)
}
