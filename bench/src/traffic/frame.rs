//! TCP segments over IPv4 and Ethernet, with correct checksums.

use std::net::Ipv4Addr;

use super::conversation::filling;

/// Ethernet, IPv4 without options, TCP without options, bytes.
pub(crate) const HEADERS: usize = 14 + 20 + 20;

/// TCP flags (RFC 9293 section 3.1).
pub(crate) const SYN: u8 = 0x02;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;

/// One segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) from: (Ipv4Addr, u16),
    pub(crate) to: (Ipv4Addr, u16),
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) flags: u8,
    pub(crate) payload: &'a [u8],
}

impl Segment<'_> {
    /// The whole frame. Its MAC addresses belong to nobody here, so that the network stack lets go of it early.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 0x10, 2, 0, 0, 0, 0, 0x20, 0x08, 0x00];
        frame.extend(self.ip_header());
        frame.extend(self.tcp());
        frame
    }

    /// RFC 791 section 3.1.
    fn ip_header(&self) -> [u8; 20] {
        let mut header = [0; 20];
        let length = (20 + 20 + self.payload.len()) as u16;
        header[0] = 0x45;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        header[6] = 0x40; // Don't fragment.
        header[8] = 64;
        header[9] = 6;
        header[12..16].copy_from_slice(&self.from.0.octets());
        header[16..].copy_from_slice(&self.to.0.octets());
        let checksum = !ones_sum(&header);
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        header
    }

    /// RFC 9293 section 3.1.
    fn tcp(&self) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + self.payload.len());
        tcp.extend(self.from.1.to_be_bytes());
        tcp.extend(self.to.1.to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgment.to_be_bytes());
        tcp.extend([0x50, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(self.payload);
        let checksum = !ones_sum(&[self.pseudo_header().as_slice(), &tcp].concat());
        tcp[16..18].copy_from_slice(&checksum.to_be_bytes());
        tcp
    }

    fn pseudo_header(&self) -> [u8; 12] {
        let mut header = [0; 12];
        header[..4].copy_from_slice(&self.from.0.octets());
        header[4..8].copy_from_slice(&self.to.0.octets());
        header[9] = 6;
        header[10..].copy_from_slice(&((20 + self.payload.len()) as u16).to_be_bytes());
        header
    }
}

/// A frame with a payload of so many bytes of [`filling`]; its headers are of no use.
pub(super) fn filled(payload: usize) -> Vec<u8> {
    [0; HEADERS].into_iter().chain(filling(0).take(payload)).collect()
}

/// RFC 1071.
fn ones_sum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use trim_user::packet::{Dissection, LinkType, dissect};

    fn segment(payload: &[u8]) -> Segment<'_> {
        Segment {
            from: (Ipv4Addr::new(10, 0, 0, 2), 80),
            to: (Ipv4Addr::new(10, 0, 0, 1), 30_000),
            sequence: 0x0102_0304,
            acknowledgment: 7,
            flags: ACK,
            payload,
        }
    }

    #[test]
    fn a_frame_is_read_as_the_segment_it_was_made_of() {
        let frame = segment(b"body").frame();
        let Dissection::Tcp(layout) = dissect(LinkType::ETHERNET, &frame, frame.len() as u32) else {
            panic!("no TCP: {frame:02x?}");
        };
        assert_eq!((layout.sequence, layout.acknowledgment), (0x0102_0304, 7));
        assert_eq!(
            &frame[layout.payload_offset as usize..layout.payload_end as usize],
            b"body"
        );
        assert_eq!(frame.len(), HEADERS + 4);
    }

    #[test]
    fn both_checksums_are_right_also_for_an_odd_length() {
        let segment = segment(b"odd");
        assert_eq!(ones_sum(&segment.ip_header()), 0xffff);
        assert_eq!(
            ones_sum(&[segment.pseudo_header().as_slice(), &segment.tcp()].concat()),
            0xffff
        );
    }
}
