//! Trimmed packets on their way from a worker to a sink: their bytes in one buffer, filled once, read once.

use super::merge::Timed;
use super::record::Record;
use super::worker::Output;

/// Room for this many packets and bytes is made when a chunk is made, so that filling one does not allocate.
const PACKETS: usize = 1024;
const BYTES: usize = 256 << 10;

/// Packets in order, ready to be stored.
#[derive(Debug)]
pub struct Chunk {
    packets: Vec<ChunkPacket>,
    bytes: Vec<u8>,
    /// When its last packet was trimmed, CLOCK_MONOTONIC nanoseconds.
    pub trimmed: u64,
}

/// One packet of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkPacket {
    /// Capture time, nanoseconds since the Unix epoch.
    pub time_ns: u64,
    /// Interface index.
    pub interface: u32,
    /// Length on the wire, bytes.
    pub original_length: u32,
    /// The lane that judged it.
    pub lane: u8,
    start: u32,
    length: u32,
}

impl Default for Chunk {
    fn default() -> Self {
        Self {
            packets: Vec::with_capacity(PACKETS),
            bytes: Vec::with_capacity(BYTES),
            trimmed: 0,
        }
    }
}

impl Chunk {
    /// Forgets all packets, keeping the memory.
    pub fn clear(&mut self) {
        self.packets.clear();
        self.bytes.clear();
    }

    /// Whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether it is time to send it on.
    pub fn is_full(&self) -> bool {
        self.packets.len() >= PACKETS / 2 || self.bytes.len() >= BYTES / 2
    }

    /// The packets in order.
    pub fn packets(&self) -> &[ChunkPacket] {
        &self.packets
    }

    /// A packet as sinks take it.
    #[inline]
    pub fn record(&self, packet: &ChunkPacket) -> Record<'_> {
        Record {
            interface: packet.interface,
            time_ns: packet.time_ns,
            original_length: packet.original_length,
            data: &self.bytes[packet.start as usize..(packet.start + packet.length) as usize],
        }
    }
}

impl Output for Chunk {
    #[inline]
    fn store(&mut self, lane: usize, record: Record<'_>) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(record.data);
        self.packets.push(ChunkPacket {
            time_ns: record.time_ns,
            interface: record.interface,
            original_length: record.original_length,
            lane: lane as u8,
            start,
            length: record.data.len() as u32,
        });
    }
}

impl Timed for ChunkPacket {
    fn time(&self) -> u64 {
        self.time_ns
    }
}
