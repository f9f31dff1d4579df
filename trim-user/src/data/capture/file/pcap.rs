//! The pcap format, also with nanoseconds and in Kuznetzov's variant (draft-ietf-opsawg-pcap; libpcap sf-pcap.c).

use super::MAX_PACKET;
use super::bytes::Order;
use super::error::Fault;
use super::step::{PacketStep, Step};
use crate::data::{Interface, TimeResolution};
use crate::packet::LinkType;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// Behind the usual record header: interface index, protocol, packet type, padding.
const KUZNETZOV_RECORD_HEADER: usize = 24;

/// Decoder of one pcap file.
#[derive(Debug)]
pub(super) struct Pcap {
    order: Order,
    /// Nanoseconds in a unit of the second time field.
    fraction_ns: u64,
    record_header: usize,
    minor: u16,
    started: bool,
}

impl Pcap {
    /// The decoder for a file that starts with `magic`, if that is a pcap file.
    pub(super) fn sniff(magic: [u8; 4]) -> Option<Self> {
        [Order::Little, Order::Big].into_iter().find_map(|order| {
            let (fraction_ns, record_header) = match order.u32(&magic, 0) {
                0xa1b2_c3d4 => (1000, RECORD_HEADER),
                0xa1b2_3c4d => (1, RECORD_HEADER),
                0xa1b2_cd34 => (1000, KUZNETZOV_RECORD_HEADER),
                _ => return None,
            };
            Some(Self {
                order,
                fraction_ns,
                record_header,
                minor: 0,
                started: false,
            })
        })
    }

    /// What stands at the start of `bytes`.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        if self.started {
            self.packet(bytes)
        } else {
            self.file_header(bytes)
        }
    }

    fn file_header(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        if bytes.len() < FILE_HEADER {
            return Ok(Step::Need(FILE_HEADER));
        }
        let (major, minor) = (self.order.u16(bytes, 4), self.order.u16(bytes, 6));
        if major != 2 {
            return Err(Fault::PcapVersion { major, minor });
        }
        self.minor = minor;
        self.started = true;
        let interface = self.interface(bytes)?;
        Ok(Step::Interface {
            length: FILE_HEADER,
            interface: Box::new(interface),
        })
    }

    fn interface(&self, bytes: &[u8]) -> Result<Interface, Fault> {
        let network = self.order.u32(bytes, 20);
        // Bits 28 to 31 hold half the length of the frame check sequence when bit 26 says so (pcap/pcap.h).
        let link_type = network & 0x03ff_ffff;
        let link_type = u16::try_from(link_type).map_err(|_| Fault::LinkType(link_type))?;
        Ok(Interface {
            snaplen: self.order.u32(bytes, 16),
            fcs_length: (network & 0x0400_0000 != 0).then_some((network >> 28) as u8 * 2),
            resolution: match self.fraction_ns {
                1 => TimeResolution::NANOSECONDS,
                _ => TimeResolution::MICROSECONDS,
            },
            ..Interface::new(LinkType(link_type))
        })
    }

    #[inline]
    fn packet(&self, bytes: &[u8]) -> Result<Step, Fault> {
        if bytes.len() < self.record_header {
            return Ok(Step::Need(self.record_header));
        }
        let seconds = u64::from(self.order.u32(bytes, 0));
        let fraction = u64::from(self.order.u32(bytes, 4));
        let (mut captured, mut original_length) = (self.order.u32(bytes, 8), self.order.u32(bytes, 12));
        if self.lengths_swapped(captured, original_length) {
            (captured, original_length) = (original_length, captured);
        }
        if captured > MAX_PACKET {
            return Err(Fault::PacketTooLong(captured));
        }
        let length = self.record_header + captured as usize;
        if bytes.len() < length {
            return Ok(Step::Need(length));
        }
        Ok(Step::Packet(PacketStep {
            length,
            interface: 0,
            time_ns: seconds * 1_000_000_000 + fraction * self.fraction_ns,
            time_clamped: false,
            original_length,
            data: self.record_header..length,
        }))
    }

    /// Before version 2.4 the two lengths stood the other way round, in 2.3 only by some writers (libpcap
    /// `LENGTHS_SWAPPED`).
    #[inline]
    fn lengths_swapped(&self, captured: u32, original: u32) -> bool {
        self.minor < 3 || (self.minor == 3 && captured > original)
    }
}
