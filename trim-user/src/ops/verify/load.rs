//! Whole captures in memory.

use std::path::Path;

use super::VerifyError;
use crate::data::capture::file::{CaptureReader, Event};
use crate::packet::{Dissection, LinkType, dissect};

/// One packet.
pub(super) struct Packet {
    pub(super) time_ns: u64,
    /// Times are recorded in microseconds or coarser.
    pub(super) is_coarse: bool,
    pub(super) original_length: u32,
    pub(super) link: LinkType,
    pub(super) inside: Dissection,
    start: usize,
    end: usize,
}

/// A capture.
#[derive(Default)]
pub(super) struct Capture {
    pub(super) packets: Vec<Packet>,
    bytes: Vec<u8>,
}

impl Capture {
    /// Reads a whole capture.
    pub(super) fn load(path: &Path) -> Result<Self, VerifyError> {
        let mut capture = Self::default();
        let mut interfaces = Vec::new();
        let mut reader = CaptureReader::open(path)?;
        while let Some(event) = reader.next_event()? {
            match event {
                Event::Interface { interface, .. } => {
                    interfaces.push((interface.link_type, interface.resolution.fits_microseconds()));
                }
                Event::Statistics { .. } => {}
                Event::Packet(record) => {
                    let known = interfaces.get(record.interface as usize).copied();
                    let (link, is_coarse) = known.unwrap_or((LinkType::ETHERNET, false));
                    let start = capture.bytes.len();
                    capture.bytes.extend_from_slice(record.data);
                    capture.packets.push(Packet {
                        time_ns: record.time_ns,
                        is_coarse,
                        original_length: record.original_length,
                        link,
                        inside: dissect(link, record.data, record.original_length),
                        start,
                        end: capture.bytes.len(),
                    });
                }
            }
        }
        Ok(capture)
    }

    /// The captured bytes of a packet.
    pub(super) fn data(&self, packet: &Packet) -> &[u8] {
        &self.bytes[packet.start..packet.end]
    }
}
