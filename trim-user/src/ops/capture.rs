//! Whole captures in memory.

use std::path::Path;

use crate::data::capture::file::{CaptureReader, Event, Position, ReadError};
use crate::data::{Interface, Record};
use crate::packet::{Dissection, LinkType, TcpLayout, dissect};

/// Packets between two reports of progress.
const PROGRESS_EVERY: usize = 1 << 14;

/// One packet.
pub(super) struct Packet {
    pub(super) time_ns: u64,
    /// Times are recorded in microseconds or coarser.
    pub(super) is_coarse: bool,
    pub(super) original_length: u32,
    pub(super) interface: u32,
    pub(super) link: LinkType,
    pub(super) inside: Dissection,
    start: usize,
    end: usize,
}

impl Packet {
    /// Where the parts of its TCP segment stand, if it is one.
    pub(super) fn tcp(&self) -> Option<&TcpLayout> {
        match &self.inside {
            Dissection::Tcp(layout) => Some(layout),
            Dissection::Fragment | Dissection::Other => None,
        }
    }
}

/// A capture.
#[derive(Default)]
pub struct Capture {
    pub(super) packets: Vec<Packet>,
    pub(super) interfaces: Vec<Interface>,
    bytes: Vec<u8>,
}

impl Capture {
    /// Reads a whole capture.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn load(path: &Path) -> Result<Self, ReadError> {
        Self::load_watched(path, |_, _| {})
    }

    /// The same; `watch` is called now and then.
    ///
    /// # Errors
    /// As [`Capture::load`].
    pub fn load_watched(path: &Path, watch: impl FnMut(&CaptureReader, Position)) -> Result<Self, ReadError> {
        match Self::load_readable(path, watch)? {
            (capture, None) => Ok(capture),
            (_, Some(damage)) => Err(damage),
        }
    }

    /// Reads a capture as far as it can be read, and tells why no further. `watch` is called now and then.
    ///
    /// # Errors
    /// When it is no capture at all.
    pub fn load_readable(
        path: &Path,
        mut watch: impl FnMut(&CaptureReader, Position),
    ) -> Result<(Self, Option<ReadError>), ReadError> {
        let mut capture = Self::default();
        let mut reader = CaptureReader::open(path)?;
        loop {
            match reader.next_event() {
                Ok(None) => return Ok((capture, None)),
                Ok(Some(event)) => capture.take(event),
                Err(error) if capture.interfaces.is_empty() => return Err(error),
                Err(error) => return Ok((capture, Some(error))),
            }
            if capture.packets.len().is_multiple_of(PROGRESS_EVERY) {
                watch(&reader, reader.position());
            }
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Interface { interface, .. } => self.interfaces.push(interface.clone()),
            Event::Statistics { .. } => {}
            Event::Packet(record) => {
                let known = self.interfaces.get(record.interface as usize);
                let (link, is_coarse) = known.map_or((LinkType::ETHERNET, false), |interface| {
                    (interface.link_type, interface.resolution.fits_microseconds())
                });
                let start = self.bytes.len();
                self.bytes.extend_from_slice(record.data);
                self.packets.push(Packet {
                    time_ns: record.time_ns,
                    is_coarse,
                    original_length: record.original_length,
                    interface: record.interface,
                    link,
                    inside: dissect(link, record.data, record.original_length),
                    start,
                    end: self.bytes.len(),
                });
            }
        }
    }

    /// The captured bytes of a packet.
    pub(super) fn data(&self, packet: &Packet) -> &[u8] {
        &self.bytes[packet.start..packet.end]
    }

    /// The captured TCP payload of a packet; nothing when it is no TCP segment.
    pub(super) fn payload(&self, packet: &Packet) -> &[u8] {
        packet.tcp().map_or(&[], |layout| {
            &self.data(packet)[layout.payload_offset as usize..layout.payload_end as usize]
        })
    }

    /// A packet as it came from the file.
    pub(super) fn record(&self, packet: &Packet) -> Record<'_> {
        Record {
            interface: packet.interface,
            time_ns: packet.time_ns,
            original_length: packet.original_length,
            data: self.data(packet),
        }
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Captured bytes of all packets.
    pub fn captured_bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
}
