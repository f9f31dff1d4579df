//! One direction of a connection, put together in sequence space. The first captured copy of a byte counts.

use std::collections::BTreeMap;

/// A position in a direction: an unwrapped sequence number.
pub(super) type Position = i64;

/// The payload of one packet at its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    /// Position of the first byte.
    pub(super) at: Position,
    /// The captured bytes.
    pub(super) bytes: &'a [u8],
    /// Index of the packet in the capture.
    pub(super) packet: usize,
}

/// Captured bytes without a hole.
#[derive(Debug)]
struct Run {
    start: Position,
    bytes: Vec<u8>,
}

impl Run {
    fn end(&self) -> Position {
        self.start + self.bytes.len() as Position
    }
}

/// What stands at a position up to the next line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<'s> {
    /// A whole line, its line feed included.
    Whole(&'s [u8]),
    /// The line runs into a hole.
    Gap(&'s [u8]),
    /// The line runs into the end of the stream.
    End(&'s [u8]),
}

impl<'s> Line<'s> {
    /// The bytes that are there.
    pub(super) fn bytes(self) -> &'s [u8] {
        match self {
            Self::Whole(bytes) | Self::Gap(bytes) | Self::End(bytes) => bytes,
        }
    }
}

/// The bytes of one direction.
#[derive(Debug, Default)]
pub(super) struct Stream {
    runs: Vec<Run>,
    /// Position and packet of every stretch that a packet was the first to bring.
    owners: Vec<(Position, usize)>,
    /// Positions at which a packet's payload starts, ascending.
    packet_starts: Vec<Position>,
    /// Behind the last captured byte.
    end: Position,
}

impl Stream {
    /// Puts `arrivals` (in capture order) together.
    pub(super) fn assemble(arrivals: &[Arrival<'_>]) -> Self {
        let mut pieces = BTreeMap::new();
        for arrival in arrivals {
            insert_new_bytes(&mut pieces, arrival);
        }
        let mut stream = Self::default();
        for (start, (bytes, packet)) in pieces {
            stream.append(start, bytes, packet);
        }
        stream.packet_starts = arrivals.iter().map(|arrival| arrival.at).collect();
        stream.packet_starts.sort_unstable();
        stream.packet_starts.dedup();
        stream
    }

    fn append(&mut self, start: Position, bytes: &[u8], packet: usize) {
        match self.runs.last_mut() {
            Some(run) if run.end() == start => run.bytes.extend_from_slice(bytes),
            _ => self.runs.push(Run {
                start,
                bytes: bytes.to_vec(),
            }),
        }
        self.owners.push((start, packet));
        self.end = start + bytes.len() as Position;
    }

    /// Whether nothing was captured.
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Position of the first captured byte; 0 when there is none.
    pub(super) fn first(&self) -> Position {
        self.runs.first().map_or(0, |run| run.start)
    }

    /// Position behind the last captured byte.
    pub(super) fn end(&self) -> Position {
        self.end
    }

    /// Positions at which a packet's payload starts, ascending.
    pub(super) fn packet_starts(&self) -> &[Position] {
        &self.packet_starts
    }

    /// The captured bytes from `at` to the next hole; empty when `at` was not captured.
    pub(super) fn bytes_at(&self, at: Position) -> &[u8] {
        let index = self.runs.partition_point(|run| run.start <= at);
        let Some(run) = index.checked_sub(1).map(|index| &self.runs[index]) else {
            return &[];
        };
        run.bytes.get((at - run.start) as usize..).unwrap_or(&[])
    }

    /// The line at `at`.
    pub(super) fn line_at(&self, at: Position) -> Line<'_> {
        self.line_within(at, usize::MAX)
    }

    /// The line at `at`, of which no more than `limit` bytes are looked at.
    pub(super) fn line_within(&self, at: Position, limit: usize) -> Line<'_> {
        let bytes = self.bytes_at(at);
        let bytes = &bytes[..bytes.len().min(limit)];
        match bytes.iter().position(|&byte| byte == b'\n') {
            Some(line_feed) => Line::Whole(&bytes[..=line_feed]),
            None if at + bytes.len() as Position >= self.end => Line::End(bytes),
            None => Line::Gap(bytes),
        }
    }

    /// The first captured position at or behind `at`.
    pub(super) fn next_captured(&self, at: Position) -> Position {
        let index = self.runs.partition_point(|run| run.end() <= at);
        self.runs.get(index).map_or(self.end, |run| run.start.max(at))
    }

    /// Whether every position of `start..end` was captured.
    pub(super) fn is_whole(&self, start: Position, end: Position) -> bool {
        end <= start || self.bytes_at(start).len() as Position >= end - start
    }

    /// The packet that first brought the byte at `at`.
    pub(super) fn packet_of(&self, at: Position) -> usize {
        let index = self.owners.partition_point(|&(start, _)| start <= at);
        index.checked_sub(1).map_or(0, |index| self.owners[index].1)
    }
}

/// Adds those bytes of `arrival` that no earlier packet brought.
fn insert_new_bytes<'a>(pieces: &mut BTreeMap<Position, (&'a [u8], usize)>, arrival: &Arrival<'a>) {
    let end = arrival.at + arrival.bytes.len() as Position;
    let mut at = arrival.at;
    while at < end {
        let covered_to = pieces
            .range(..=at)
            .next_back()
            .map_or(at, |(start, (bytes, _))| start + bytes.len() as Position);
        if covered_to > at {
            at = covered_to;
            continue;
        }
        let free_to = pieces.range(at + 1..).next().map_or(end, |(&start, _)| start.min(end));
        let from = (at - arrival.at) as usize;
        let to = (free_to - arrival.at) as usize;
        pieces.insert(at, (&arrival.bytes[from..to], arrival.packet));
        at = free_to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(parts: &[(Position, &[u8])]) -> Stream {
        let arrivals: Vec<_> = parts
            .iter()
            .enumerate()
            .map(|(packet, &(at, bytes))| Arrival { at, bytes, packet })
            .collect();
        Stream::assemble(&arrivals)
    }

    #[test]
    fn the_first_copy_of_a_byte_counts_and_holes_stay_holes() {
        let stream = assemble(&[(10, b"cd"), (8, b"abXYef"), (20, b"z\n")]);
        assert_eq!(stream.bytes_at(8), b"abcdef");
        assert_eq!(stream.bytes_at(15), b"");
        assert_eq!(stream.line_at(8), Line::Gap(b"abcdef"));
        assert_eq!(stream.line_at(20), Line::Whole(b"z\n"));
        assert_eq!(stream.next_captured(14), 20);
        assert_eq!(
            (stream.packet_of(9), stream.packet_of(11), stream.packet_of(12)),
            (1, 0, 1)
        );
        assert!(stream.is_whole(8, 14) && !stream.is_whole(8, 15));
    }
}
