//! Which packet of the trimmed capture is which packet of the original.

use std::collections::{HashMap, VecDeque};

use super::super::capture::{Capture, Packet};
use super::options::Matching;
use crate::packet::Dissection;
use trim_common::flow::{Direction, FlowKey};

/// The pairs, and who has none. Indexes into the captures.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// In the order of the original.
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) missing: Vec<usize>,
    pub(super) surplus: Vec<usize>,
    /// Pairs whose trimmed packet comes before one that it followed in its flow and direction.
    pub(super) out_of_order: Vec<(usize, usize)>,
}

impl Pairs {
    /// Pairs the packets of two captures.
    pub(super) fn of(original: &Capture, trimmed: &Capture, matching: Matching) -> Self {
        match matching {
            Matching::Order => Self::by_order(original.packets.len(), trimmed.packets.len()),
            Matching::Content => Self::by_content(original, trimmed),
        }
    }

    fn by_order(original: usize, trimmed: usize) -> Self {
        let common = original.min(trimmed);
        Self {
            pairs: (0..common).map(|index| (index, index)).collect(),
            missing: (common..original).collect(),
            surplus: (common..trimmed).collect(),
            out_of_order: Vec::new(),
        }
    }

    fn by_content(original: &Capture, trimmed: &Capture) -> Self {
        let mut waiting: HashMap<Identity, VecDeque<usize>> = HashMap::new();
        for (index, packet) in trimmed.packets.iter().enumerate() {
            let identity = Identity::of(packet, trimmed.data(packet));
            waiting.entry(identity).or_default().push_back(index);
        }
        let mut pairs = Self::default();
        let mut newest: HashMap<(FlowKey, Direction), usize> = HashMap::new();
        for (index, packet) in original.packets.iter().enumerate() {
            let identity = Identity::of(packet, original.data(packet));
            let Some(partner) = waiting.get_mut(&identity).and_then(VecDeque::pop_front) else {
                pairs.missing.push(index);
                continue;
            };
            pairs.pairs.push((index, partner));
            if let Dissection::Tcp(layout) = packet.inside {
                let last = newest.entry((layout.flow, layout.direction)).or_insert(partner);
                if partner < *last {
                    pairs.out_of_order.push((index, partner));
                }
                *last = partner.max(*last);
            }
        }
        pairs.surplus = waiting.into_values().flatten().collect();
        pairs.surplus.sort_unstable();
        pairs
    }
}

/// What a packet is recognised by at another capture point. Copies that agree in all of it are paired in order.
#[derive(PartialEq, Eq, Hash)]
enum Identity {
    Segment {
        flow: FlowKey,
        direction: Direction,
        sequence: u32,
        acknowledgment: u32,
        flags: u8,
        ip_id: u16,
        wire_payload: u32,
    },
    /// Not TCP: its first bytes, which no policy removes.
    Other { original_length: u32, start: Vec<u8> },
}

/// Bytes of a packet that is not TCP by which it is recognised: Ethernet, IPv4 and UDP headers.
const RECOGNISED_BYTES: usize = 42;

impl Identity {
    fn of(packet: &Packet, data: &[u8]) -> Self {
        match packet.inside {
            Dissection::Tcp(layout) => Self::Segment {
                flow: layout.flow,
                direction: layout.direction,
                sequence: layout.sequence,
                acknowledgment: layout.acknowledgment,
                flags: layout.flags.0,
                ip_id: ip_id(data, layout.l3_offset as usize),
                wire_payload: layout.wire_payload,
            },
            Dissection::Fragment | Dissection::Other => Self::Other {
                original_length: packet.original_length,
                start: data[..data.len().min(RECOGNISED_BYTES)].to_vec(),
            },
        }
    }
}

/// The identification of an IPv4 header; 0 for IPv6.
fn ip_id(data: &[u8], at: usize) -> u16 {
    match data.get(at..at + 6) {
        Some(&[version, _, _, _, high, low]) if version >> 4 == 4 => u16::from_be_bytes([high, low]),
        _ => 0,
    }
}
