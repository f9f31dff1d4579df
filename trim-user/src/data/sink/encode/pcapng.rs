//! pcapng, little-endian, one section, nanoseconds (draft-ietf-opsawg-pcapng).

use crate::data::{Interface, InterfaceStatistics, Record, TimeResolution};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

/// Fixed fields of an Enhanced Packet Block in front of the packet.
const PACKET_HEADER: usize = 28;

/// Longest option value that keeps its length, with a byte in front, in 16 bits.
const LONGEST_TEXT: usize = 65_534;

#[derive(Debug, Default)]
pub(in super::super) struct PcapngEncoder {
    interfaces: Vec<(Interface, Option<InterfaceStatistics>)>,
}

impl PcapngEncoder {
    pub(super) fn interface(&mut self, interface: &Interface) -> u32 {
        self.interfaces.push((interface.clone(), None));
        self.interfaces.len() as u32 - 1
    }

    pub(super) fn interfaces(&self) -> usize {
        self.interfaces.len()
    }

    pub(super) fn statistics(&mut self, interface: u32, statistics: &InterfaceStatistics) {
        if let Some((_, latest)) = self.interfaces.get_mut(interface as usize) {
            *latest = Some(*statistics);
        }
    }

    /// The Section Header Block.
    pub(super) fn start(&self, out: &mut Vec<u8>) {
        block(out, SECTION_HEADER, |out| {
            out.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
            out.extend_from_slice(&1_u16.to_le_bytes());
            out.extend_from_slice(&0_u16.to_le_bytes());
            // The section's length is not known while streaming.
            out.extend_from_slice(&u64::MAX.to_le_bytes());
            option(out, 2, std::env::consts::ARCH.as_bytes());
            option(out, 3, operating_system().as_bytes());
            option(out, 4, concat!("trim ", env!("CARGO_PKG_VERSION")).as_bytes());
            option(out, 0, &[]);
        });
    }

    /// Interface Description Blocks.
    pub(super) fn announce(&self, interfaces: std::ops::Range<usize>, out: &mut Vec<u8>) {
        for (interface, _) in &self.interfaces[interfaces] {
            block(out, INTERFACE, |out| describe(interface, out));
        }
    }

    /// An Enhanced Packet Block.
    #[inline]
    pub(super) fn record(&self, record: &Record<'_>, out: &mut Vec<u8>) {
        let padded = record.data.len().next_multiple_of(4);
        let length = (PACKET_HEADER + padded + 4) as u32;
        let mut header = [0; PACKET_HEADER];
        header[0..4].copy_from_slice(&ENHANCED_PACKET.to_le_bytes());
        header[4..8].copy_from_slice(&length.to_le_bytes());
        header[8..12].copy_from_slice(&record.interface.to_le_bytes());
        header[12..20].copy_from_slice(&high_low(record.time_ns));
        header[20..24].copy_from_slice(&(record.data.len() as u32).to_le_bytes());
        header[24..28].copy_from_slice(&record.original_length.to_le_bytes());
        out.reserve(length as usize);
        out.extend_from_slice(&header);
        out.extend_from_slice(record.data);
        out.extend_from_slice(&[0; 3][..padded - record.data.len()]);
        out.extend_from_slice(&length.to_le_bytes());
    }

    /// Interface Statistics Blocks for those of the first `interfaces` interfaces whose counts are known.
    pub(super) fn end(&self, interfaces: usize, out: &mut Vec<u8>) {
        for (index, (_, statistics)) in self.interfaces[..interfaces].iter().enumerate() {
            if let Some(statistics) = statistics {
                block(out, STATISTICS, |out| count(index as u32, statistics, out));
            }
        }
    }
}

/// Body of an Interface Description Block.
fn describe(interface: &Interface, out: &mut Vec<u8>) {
    out.extend_from_slice(&interface.link_type.0.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&interface.snaplen.to_le_bytes());
    if let Some(name) = &interface.name {
        option(out, 2, text(name));
    }
    if let Some(description) = &interface.description {
        option(out, 3, text(description));
    }
    if let Some(speed) = interface.speed {
        option(out, 8, &speed.to_le_bytes());
    }
    option(out, 9, &[TimeResolution::NANOSECONDS.0]);
    if let Some(filter) = &interface.filter {
        // The leading 0 says: in the language of libpcap.
        option(out, 11, &[&[0], text(filter)].concat());
    }
    if let Some(length) = interface.fcs_length {
        option(out, 13, &[length]);
    }
    for other in &interface.other {
        option(out, other.code, &other.value);
    }
    option(out, 0, &[]);
}

/// Body of an Interface Statistics Block.
fn count(interface: u32, statistics: &InterfaceStatistics, out: &mut Vec<u8>) {
    out.extend_from_slice(&interface.to_le_bytes());
    out.extend_from_slice(&high_low(statistics.time_ns));
    let times = [(2, statistics.start_ns), (3, statistics.end_ns)];
    for (code, time) in times {
        if let Some(time) = time {
            option(out, code, &high_low(time));
        }
    }
    let counts = [
        (4, statistics.received),
        (5, statistics.dropped),
        (6, statistics.accepted),
        (7, statistics.dropped_by_system),
        (8, statistics.delivered),
    ];
    for (code, count) in counts {
        if let Some(count) = count {
            option(out, code, &count.to_le_bytes());
        }
    }
    option(out, 0, &[]);
}

/// Appends a block around what `body` appends; a body is a multiple of 4 bytes long.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = (out.len() - start + 4) as u32;
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
}

/// Appends an option, padded to 4 bytes.
fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    out.resize(out.len() + value.len().next_multiple_of(4) - value.len(), 0);
}

/// As much of `value` as fits into an option.
fn text(value: &str) -> &[u8] {
    &value.as_bytes()[..value.floor_char_boundary(LONGEST_TEXT)]
}

/// A time in two halves, the higher one first.
#[inline]
fn high_low(time: u64) -> [u8; 8] {
    time.rotate_left(32).to_le_bytes()
}

fn operating_system() -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("Linux {}", release.trim()).trim_end().to_owned()
}
