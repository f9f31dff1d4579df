//! Encoded blocks that wait to be written.

use super::encode::Encoder;
use super::error::SinkError;
use crate::data::capture::file::MAX_PACKET;
use crate::data::{Format, Interface, InterfaceStatistics, Record};

/// Most bytes around a packet in any format, with padding.
const PACKET_OVERHEAD: usize = 28 + 3 + 4;

/// Length of a pcapng Interface Statistics Block with all its counts, bytes.
const LONGEST_STATISTICS: usize = 112;

/// Bytes of blocks that are held at least while nothing can be written.
const LEAST_ROOM: usize = 256 << 10;

/// The encoder and the whole blocks that are not yet in any file.
pub(super) struct Pending {
    encoder: Encoder,
    blocks: Vec<u8>,
    chunk_size: usize,
    /// Packets in `blocks`.
    records: u64,
    /// Captured bytes of these packets.
    captured: u64,
    /// Length of the start of a file that describes all interfaces, bytes.
    start_length: usize,
    /// Interfaces described in the file and in `blocks`.
    announced: usize,
    /// Interfaces described in the file alone.
    announced_in_file: usize,
}

impl Pending {
    pub(super) fn new(format: Format, chunk_size: usize) -> Self {
        let mut start = Vec::new();
        Encoder::new(format).start(0, &mut start);
        Self {
            encoder: Encoder::new(format),
            // Room for the packet that makes it full, so that the buffer never grows for one.
            blocks: Vec::with_capacity(chunk_size.max(LEAST_ROOM) + MAX_PACKET as usize + PACKET_OVERHEAD),
            chunk_size,
            records: 0,
            captured: 0,
            start_length: start.len(),
            announced: 0,
            announced_in_file: 0,
        }
    }

    pub(super) fn interface(&mut self, interface: &Interface) -> Result<u32, SinkError> {
        let index = self.encoder.interface(interface)?;
        let mut description = Vec::new();
        self.encoder
            .announce(index as usize..index as usize + 1, &mut description);
        self.start_length += description.len();
        Ok(index)
    }

    pub(super) fn statistics(&mut self, interface: u32, statistics: &InterfaceStatistics) {
        self.encoder.statistics(interface, statistics);
    }

    /// Encodes a record, and the descriptions of new interfaces in front of it.
    #[inline]
    pub(super) fn record(&mut self, record: &Record<'_>) -> Result<(), SinkError> {
        if self.announced < self.encoder.interfaces() {
            self.announce();
        }
        self.encoder.record(record, &mut self.blocks)?;
        self.records += 1;
        self.captured += record.data.len() as u64;
        Ok(())
    }

    fn announce(&mut self) {
        let known = self.encoder.interfaces();
        self.encoder.announce(self.announced..known, &mut self.blocks);
        self.announced = known;
    }

    /// Whether it is time to write.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.blocks.len() >= self.chunk_size
    }

    /// Whether no more is held while nothing can be written.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.blocks.len() >= self.chunk_size.max(LEAST_ROOM)
    }

    /// An upper bound of the size of a file that is `length` bytes long so far, when it is complete with what is
    /// pending and `record`.
    #[inline]
    pub(super) fn size_with(&self, length: u64, record: &Record<'_>) -> u64 {
        let start = if length == 0 { self.start_length } else { 0 };
        let end = self.encoder.interfaces() * LONGEST_STATISTICS;
        length + (start + self.blocks.len() + PACKET_OVERHEAD + record.data.len() + end) as u64
    }

    pub(super) fn blocks(&self) -> &[u8] {
        &self.blocks
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    pub(super) fn captured(&self) -> u64 {
        self.captured
    }

    /// The start of a file that the pending blocks can follow: it describes all interfaces that they do not.
    pub(super) fn start_of_file(&mut self) -> Vec<u8> {
        if self.blocks.is_empty() {
            self.announced_in_file = self.encoder.interfaces();
            self.announced = self.announced_in_file;
        }
        let mut start = Vec::new();
        self.encoder.start(self.announced_in_file, &mut start);
        start
    }

    /// The end of a file that holds all blocks so far: interfaces no packet named, and counts.
    pub(super) fn end_of_file(&mut self) {
        self.announce();
        self.encoder.end(self.announced, &mut self.blocks);
    }

    /// Forgets the blocks: they are in the file.
    pub(super) fn written(&mut self) {
        self.announced_in_file = self.announced;
        self.clear();
    }

    /// Forgets the blocks: they are lost.
    pub(super) fn lost(&mut self) {
        self.announced = self.announced_in_file;
        self.clear();
    }

    fn clear(&mut self) {
        self.blocks.clear();
        self.records = 0;
        self.captured = 0;
    }
}
