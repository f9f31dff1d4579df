//! pcap, little-endian (draft-ietf-opsawg-pcap).

use super::SinkError;
use crate::data::capture::file::MAX_PACKET;
use crate::data::{Interface, Record};
use crate::packet::LinkType;

const MAGIC_MICROSECONDS: u32 = 0xa1b2_c3d4;
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;

/// Writes nanoseconds, or microseconds when no interface has finer times.
#[derive(Debug, Default)]
pub(in super::super) struct PcapEncoder {
    first: Option<Interface>,
    interfaces: usize,
    nanoseconds: bool,
    /// A file header was written: the time unit is fixed.
    started: bool,
    snaplen: u32,
}

impl PcapEncoder {
    pub(super) fn interface(&mut self, interface: &Interface) -> Result<u32, SinkError> {
        let first = self.first.get_or_insert_with(|| interface.clone());
        if first.link_type != interface.link_type {
            return Err(SinkError::SecondLinkType {
                first: first.link_type,
                other: interface.link_type,
            });
        }
        let finer = !interface.resolution.fits_microseconds();
        if finer && self.started && !self.nanoseconds {
            return Err(SinkError::FinerTime);
        }
        self.nanoseconds |= finer;
        let snaplen = if interface.snaplen == 0 {
            MAX_PACKET
        } else {
            interface.snaplen
        };
        self.snaplen = self.snaplen.max(snaplen);
        self.interfaces += 1;
        Ok(self.interfaces as u32 - 1)
    }

    pub(super) fn interfaces(&self) -> usize {
        self.interfaces
    }

    pub(super) fn start(&mut self, out: &mut Vec<u8>) {
        self.started = true;
        let magic = if self.nanoseconds {
            MAGIC_NANOSECONDS
        } else {
            MAGIC_MICROSECONDS
        };
        let snaplen = if self.snaplen == 0 { MAX_PACKET } else { self.snaplen };
        out.extend_from_slice(&magic.to_le_bytes());
        out.extend_from_slice(&2_u16.to_le_bytes());
        out.extend_from_slice(&4_u16.to_le_bytes());
        out.extend_from_slice(&[0; 8]);
        out.extend_from_slice(&snaplen.to_le_bytes());
        out.extend_from_slice(&self.network().to_le_bytes());
    }

    /// The link type and, in the upper bits, the length of the frame check sequence (pcap/pcap.h).
    fn network(&self) -> u32 {
        let Some(first) = &self.first else {
            return u32::from(LinkType::ETHERNET.0);
        };
        match first.fcs_length {
            Some(length @ 0..=30) => u32::from(first.link_type.0) | 0x0400_0000 | (u32::from(length / 2) << 28),
            _ => u32::from(first.link_type.0),
        }
    }

    #[inline]
    pub(super) fn record(&mut self, record: &Record<'_>, out: &mut Vec<u8>) -> Result<(), SinkError> {
        let time_ns = record.time_ns;
        let seconds = u32::try_from(time_ns / 1_000_000_000).map_err(|_| SinkError::TimeBeyondPcap { time_ns })?;
        let nanoseconds = (time_ns % 1_000_000_000) as u32;
        let fraction = if self.nanoseconds {
            nanoseconds
        } else {
            nanoseconds / 1000
        };
        let mut header = [0; 16];
        header[0..4].copy_from_slice(&seconds.to_le_bytes());
        header[4..8].copy_from_slice(&fraction.to_le_bytes());
        header[8..12].copy_from_slice(&(record.data.len() as u32).to_le_bytes());
        header[12..16].copy_from_slice(&record.original_length.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(record.data);
        Ok(())
    }
}
