//! Captures as lists of packets, to be compared.

use std::collections::BTreeMap;
use std::path::Path;

use trim_common::flow::FlowKey;
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
        let FlowKey {
            low_address,
            high_address,
            low_port,
            high_port,
        } = layout.flow;
        let ends = match layout.direction {
            trim_common::flow::Direction::Up => (low_address, low_port, high_address, high_port),
            trim_common::flow::Direction::Down => (high_address, high_port, low_address, low_port),
        };
        let packet = Packet {
            original_length: record.original_length,
            data: record.data.to_vec(),
        };
        directions.entry(ends).or_default().push(packet);
    }
    directions
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
