//! Turns records into the blocks of a file format.

mod pcap;
mod pcapng;

use pcap::PcapEncoder;
use pcapng::PcapngEncoder;

use super::error::SinkError;
use crate::data::capture::file::MAX_PACKET;
use crate::data::{Format, Interface, InterfaceStatistics, Record};

/// An encoder: knows the interfaces, appends whole blocks to a buffer, holds no packets.
#[derive(Debug)]
pub(super) enum Encoder {
    Pcap(PcapEncoder),
    Pcapng(PcapngEncoder),
}

impl Encoder {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::Pcap => Self::Pcap(PcapEncoder::default()),
            Format::Pcapng => Self::Pcapng(PcapngEncoder::default()),
        }
    }

    /// Registers an interface; its number is the count of those before it.
    pub(super) fn interface(&mut self, interface: &Interface) -> Result<u32, SinkError> {
        match self {
            Self::Pcap(pcap) => pcap.interface(interface),
            Self::Pcapng(pcapng) => Ok(pcapng.interface(interface)),
        }
    }

    /// How many interfaces are registered.
    pub(super) fn interfaces(&self) -> usize {
        match self {
            Self::Pcap(pcap) => pcap.interfaces(),
            Self::Pcapng(pcapng) => pcapng.interfaces(),
        }
    }

    /// Appends the start of a file, with the first `interfaces` interfaces.
    pub(super) fn start(&mut self, interfaces: usize, out: &mut Vec<u8>) {
        match self {
            Self::Pcap(pcap) => pcap.start(out),
            Self::Pcapng(pcapng) => {
                pcapng.start(out);
                self.announce(0..interfaces, out);
            }
        }
    }

    /// Appends the descriptions of these interfaces.
    pub(super) fn announce(&self, interfaces: std::ops::Range<usize>, out: &mut Vec<u8>) {
        match self {
            Self::Pcap(_) => {}
            Self::Pcapng(pcapng) => pcapng.announce(interfaces, out),
        }
    }

    /// Appends a record; nothing on error.
    #[inline]
    pub(super) fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), SinkError> {
        let known = self.interfaces();
        if record.interface as usize >= known {
            return Err(SinkError::UnknownInterface {
                interface: record.interface,
                known,
            });
        }
        if record.data.len() > MAX_PACKET as usize {
            return Err(SinkError::PacketTooLong {
                length: record.data.len(),
            });
        }
        match self {
            Self::Pcap(pcap) => pcap.record(record, out),
            Self::Pcapng(pcapng) => {
                pcapng.record(record, out);
                Ok(())
            }
        }
    }

    /// Notes the latest counts of an interface.
    pub(super) fn statistics(&mut self, interface: u32, statistics: &InterfaceStatistics) {
        match self {
            Self::Pcap(_) => {}
            Self::Pcapng(pcapng) => pcapng.statistics(interface, statistics),
        }
    }

    /// Appends the end of a file whose first `interfaces` interfaces were described.
    pub(super) fn end(&self, interfaces: usize, out: &mut Vec<u8>) {
        match self {
            Self::Pcap(_) => {}
            Self::Pcapng(pcapng) => pcapng.end(interfaces, out),
        }
    }
}
