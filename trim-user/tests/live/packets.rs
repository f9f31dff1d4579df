//! Captures as lists of packets, to be compared.

use std::collections::BTreeMap;
use std::path::Path;

use trim_common::flow::{Direction, FlowKey};
use trim_user::data::capture::file::{CaptureReader, Event};
use trim_user::packet::{Dissection, LinkType, dissect};

/// A packet without its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Packet {
    pub(crate) original_length: u32,
    pub(crate) data: Vec<u8>,
}

/// The two ends of a direction: addresses and ports.
pub(crate) type Ends = ([u8; 16], u16, [u8; 16], u16);

/// The TCP packets of a capture, by direction of a flow, in order.
///
/// Two directions may be interleaved otherwise at two capture points: the interface has several queues.
pub(crate) fn by_direction(file: &Path) -> BTreeMap<Ends, Vec<Packet>> {
    let mut directions: BTreeMap<Ends, Vec<Packet>> = BTreeMap::new();
    let mut reader = CaptureReader::open(file).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        let Event::Packet(record) = event else { continue };
        let Dissection::Tcp(layout) = dissect(LinkType::ETHERNET, record.data, record.original_length) else {
            continue;
        };
        let (low, low_port, high, high_port) = ends(&layout.flow);
        let ends = match layout.direction {
            Direction::Up => (low, low_port, high, high_port),
            Direction::Down => (high, high_port, low, low_port),
        };
        let packet = Packet {
            original_length: record.original_length,
            data: record.data.to_vec(),
        };
        directions.entry(ends).or_default().push(packet);
    }
    directions
}

fn ends(flow: &FlowKey) -> Ends {
    (flow.low_address, flow.low_port, flow.high_address, flow.high_port)
}

/// The headers below HTTP of each packet of each flow, in the order of arrival: the same at two capture points that saw the
/// packets in the same order, whatever became of the bodies.
///
/// # Panics
/// When a packet of a flow is older than the one before it: what was written is not in the order of arrival.
pub(crate) fn arrivals(file: &Path) -> BTreeMap<Ends, Vec<Vec<u8>>> {
    let mut flows: BTreeMap<Ends, (u64, Vec<Vec<u8>>)> = BTreeMap::new();
    let mut reader = CaptureReader::open(file).unwrap();
    while let Some(event) = reader.next_event().unwrap() {
        let Event::Packet(record) = event else { continue };
        let Dissection::Tcp(layout) = dissect(LinkType::ETHERNET, record.data, record.original_length) else {
            continue;
        };
        let (last, headers) = flows.entry(ends(&layout.flow)).or_default();
        assert!(
            record.time_ns >= *last,
            "{}: a packet stands behind a younger one",
            file.display()
        );
        *last = record.time_ns;
        headers.push(record.data[..layout.payload_offset as usize].to_vec());
    }
    flows.into_iter().map(|(flow, (_, headers))| (flow, headers)).collect()
}

/// The first difference between two directions, in words.
pub(crate) fn difference(live: &[Packet], file: &[Packet]) -> Option<String> {
    for (number, (one, other)) in live.iter().zip(file).enumerate() {
        if one != other {
            return Some(format!(
                "packet {number}: live {} of {} bytes, file {} of {} bytes\nlive {:02x?}\nfile {:02x?}",
                one.data.len(),
                one.original_length,
                other.data.len(),
                other.original_length,
                one.data,
                other.data
            ));
        }
    }
    (live.len() != file.len()).then(|| format!("live {} packets, file {} packets", live.len(), file.len()))
}
