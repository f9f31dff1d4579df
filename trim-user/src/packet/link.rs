//! Link types of capture files, and how each leads to an IP header.

use super::bytes::{be16, byte, le16};

/// A link type as capture files number them (the `LINKTYPE_` list of the pcapng specification).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a four-byte address family in host order.
    pub const NULL: Self = Self(0);
    /// Ethernet, what AF_XDP delivers.
    pub const ETHERNET: Self = Self(1);
    /// PPP, perhaps with address and control bytes.
    pub const PPP: Self = Self(9);
    /// Raw IP.
    pub const RAW: Self = Self(101);
    /// Cisco HDLC.
    pub const C_HDLC: Self = Self(104);
    /// IEEE 802.11.
    pub const IEEE802_11: Self = Self(105);
    /// OpenBSD loopback.
    pub const LOOP: Self = Self(108);
    /// Linux "cooked" capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.11 behind a radiotap header.
    pub const IEEE802_11_RADIOTAP: Self = Self(127);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux netfilter log messages.
    pub const NFLOG: Self = Self(239);
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const ETHERTYPE_PPPOE_SESSION: u16 = 0x8864;
/// PPP protocol numbers stand where an ethertype would behind PPP and PPPoE headers.
const PPP_IPV4: u16 = 0x0021;
const PPP_IPV6: u16 = 0x0057;
/// The three bytes of an LLC header that announce SNAP (IEEE 802.2).
const LLC_SNAP: [u8; 3] = [0xaa, 0xaa, 0x03];
/// Frames may stack this many VLAN tags or MPLS labels; deeper stacks are not followed.
const MAX_TAGS: usize = 8;

/// The offset of the IP header of `frame`, or `None` when there is none.
///
/// VLAN tags (802.1Q, 802.1ad and the older 0x9100 and 0x9200), HSR/PRP (0x8926), PPPoE sessions and MPLS labels are
/// followed on link types that carry an ethertype.
#[inline]
pub(super) fn ip_offset(link: LinkType, frame: &[u8]) -> Option<usize> {
    match link {
        LinkType::ETHERNET => behind_ethernet(frame),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 | LinkType(12) | LinkType(14) => Some(0),
        LinkType::NULL | LinkType::LOOP => Some(4),
        LinkType::PPP => behind_ppp(frame),
        LinkType::C_HDLC => behind_ethertype(frame, be16(frame, 2)?, 4),
        LinkType::LINUX_SLL => behind_ethertype(frame, be16(frame, 14)?, 16),
        LinkType::LINUX_SLL2 => behind_ethertype(frame, be16(frame, 0)?, 20),
        LinkType::IEEE802_11 => behind_wifi(frame, 0),
        LinkType::IEEE802_11_RADIOTAP => behind_wifi(frame, usize::from(le16(frame, 2)?)),
        LinkType::NFLOG => nflog_payload(frame),
        _ => None,
    }
}

#[inline]
fn behind_ethernet(frame: &[u8]) -> Option<usize> {
    let ethertype = be16(frame, 12)?;
    if ethertype == ETHERTYPE_IPV4 || ethertype == ETHERTYPE_IPV6 {
        return Some(14);
    }
    if ethertype <= 1500 && frame.get(14..17) == Some(&LLC_SNAP) {
        return behind_ethertype(frame, be16(frame, 20)?, 22);
    }
    behind_ethertype(frame, ethertype, 14)
}

/// Follows tags from an ethertype whose payload begins at `offset`.
fn behind_ethertype(frame: &[u8], mut ethertype: u16, mut offset: usize) -> Option<usize> {
    for _ in 0..MAX_TAGS {
        match ethertype {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 | PPP_IPV4 | PPP_IPV6 => return Some(offset),
            0x8100 | 0x88a8 | 0x9100 | 0x9200 | 0x8926 => {
                ethertype = be16(frame, offset + 2)?;
                offset += 4;
            }
            ETHERTYPE_PPPOE_SESSION => {
                ethertype = be16(frame, offset + 6)?;
                offset += 8;
            }
            0x8847 | 0x8848 => return behind_mpls(frame, offset),
            _ => return None,
        }
    }
    None
}

/// Skips MPLS labels (RFC 3032) up to the bottom of the stack; what follows is IP if its first nibble says so.
fn behind_mpls(frame: &[u8], mut offset: usize) -> Option<usize> {
    for _ in 0..MAX_TAGS {
        let bottom = byte(frame, offset + 2)? & 1 != 0;
        offset += 4;
        if bottom {
            return matches!(byte(frame, offset)? >> 4, 4 | 6).then_some(offset);
        }
    }
    None
}

fn behind_ppp(frame: &[u8]) -> Option<usize> {
    let offset = if frame.starts_with(&[0xff, 0x03]) { 2 } else { 0 };
    behind_ethertype(frame, be16(frame, offset)?, offset + 2)
}

/// Skips an IEEE 802.11 data header (clear, not protected) and the LLC/SNAP header behind it.
fn behind_wifi(frame: &[u8], header: usize) -> Option<usize> {
    let control = byte(frame, header)?;
    let flags = byte(frame, header + 1)?;
    let is_data = control & 0x0c == 0x08;
    let is_protected = flags & 0x40 != 0;
    if !is_data || is_protected {
        return None;
    }
    let fourth_address = if flags & 3 == 3 { 6 } else { 0 };
    let qos = if control & 0x80 != 0 { 2 } else { 0 };
    let llc = header + 24 + fourth_address + qos;
    if frame.get(llc..llc + 3) != Some(&LLC_SNAP) {
        return None;
    }
    behind_ethertype(frame, be16(frame, llc + 6)?, llc + 8)
}

/// The packet payload among the type-length-value records of an NFLOG message.
fn nflog_payload(frame: &[u8]) -> Option<usize> {
    const NFULA_PAYLOAD: u16 = 9;
    let mut offset = 4;
    loop {
        let length = usize::from(le16(frame, offset)?);
        if le16(frame, offset + 2)? == NFULA_PAYLOAD {
            return Some(offset + 4);
        }
        offset += length.next_multiple_of(4).max(4);
    }
}
