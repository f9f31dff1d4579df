//! Segments that wait for bytes before them.

use std::collections::VecDeque;

/// What a held segment is charged on top of its buffer, bytes: its records.
const OVERHEAD: usize = 192;

/// Most segments held in one direction, so that keeping them sorted stays cheap.
pub(super) const MOST_HELD: usize = 4096;

/// Sizes of buffers: powers of two from the smallest on, bytes. Larger ones are made as they are needed.
const SMALLEST: usize = 64;
const SIZES: usize = 9;
/// Most spare buffers of one size kept for reuse.
const MOST_SPARES: usize = 128;

/// Bytes of a direction that are not interpreted yet.
#[derive(Debug)]
pub(super) struct Piece {
    /// Position of the first byte.
    pub(super) start: u64,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// How many bytes the snaplen cut off behind it.
    pub(super) missing: u32,
    /// A segment began here.
    pub(super) segment_start: bool,
    /// How far its sender had received the other direction.
    pub(super) received: u64,
}

impl Piece {
    /// Position behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes.len() as u64)
    }
}

/// A segment that waits for its labels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Position of the first byte.
    pub(super) start: u64,
    /// Position behind the last captured byte.
    pub(super) end: u64,
    /// The caller's name for it.
    pub(super) ticket: u64,
    /// It contradicts the first copy of some byte.
    pub(super) contradicts: bool,
}

impl Held {
    /// What holding it is charged, bytes.
    pub(super) fn charge(&self) -> usize {
        Stash::charge_for((self.end - self.start) as usize)
    }
}

/// A segment to hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival<'a> {
    pub(super) start: u64,
    pub(super) payload: &'a [u8],
    pub(super) missing: u32,
    pub(super) ticket: u64,
    /// Bytes below this position are interpreted already.
    pub(super) frontier: u64,
    /// How far its sender has received the other direction.
    pub(super) received: u64,
}

/// Buffers of pieces, used again and again, by size: a large buffer under a small piece would hold more memory than the
/// piece is charged.
#[derive(Debug, Default)]
pub(super) struct Spares {
    buffers: [Vec<Vec<u8>>; SIZES],
}

/// Size of the buffer for this many bytes.
fn buffer_size(length: usize) -> usize {
    length.max(SMALLEST).next_power_of_two()
}

impl Spares {
    fn of_size(&mut self, size: usize) -> Option<&mut Vec<Vec<u8>>> {
        self.buffers.get_mut((size / SMALLEST).trailing_zeros() as usize)
    }

    fn copy(&mut self, bytes: &[u8]) -> Vec<u8> {
        let size = buffer_size(bytes.len());
        let spare = self.of_size(size).and_then(Vec::pop);
        let mut buffer = spare.unwrap_or_else(|| Vec::with_capacity(size));
        buffer.extend_from_slice(bytes);
        buffer
    }

    /// Takes a buffer back.
    pub(super) fn recycle(&mut self, mut buffer: Vec<u8>) {
        buffer.clear();
        let size = buffer.capacity();
        if let Some(spares) = self.of_size(size)
            && size == buffer_size(size)
            && spares.len() < MOST_SPARES
        {
            spares.push(buffer);
        }
    }
}

/// Held segments of one direction and their bytes: sorted, without overlap, the first copy of a byte wins.
#[derive(Debug, Default)]
pub(super) struct Stash {
    pieces: VecDeque<Piece>,
    /// Sorted by end.
    held: VecDeque<Held>,
    charge: usize,
}

impl Stash {
    /// What holding a payload of this length is charged, bytes.
    pub(super) fn charge_for(length: usize) -> usize {
        buffer_size(length) + OVERHEAD
    }

    /// What everything held is charged, bytes.
    pub(super) fn charge(&self) -> usize {
        self.charge
    }

    /// How many segments are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing is held.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds a segment and returns how many of its bytes contradict bytes held before.
    pub(super) fn insert(&mut self, arrival: &Arrival<'_>, spares: &mut Spares) -> u64 {
        let end = arrival.start.saturating_add(arrival.payload.len() as u64);
        let from = arrival.start.max(arrival.frontier);
        if from == arrival.start {
            self.split_at(from, spares);
        }
        let mut index = self.first_behind(from);
        let (mut at, mut contradicting) = (from, 0);
        while at < end {
            match self.pieces.get(index) {
                Some(piece) if piece.start <= at => {
                    contradicting += contradiction(piece, at, arrival);
                    at = piece.end();
                    index += 1;
                }
                next => {
                    let until = next.map_or(end, |piece| piece.start.min(end));
                    let piece = Piece {
                        start: at,
                        bytes: spares.copy(slice(arrival, at, until)),
                        missing: if until == end { arrival.missing } else { 0 },
                        segment_start: at == arrival.start,
                        received: arrival.received,
                    };
                    self.pieces.insert(index, piece);
                    (at, index) = (until, index + 1);
                }
            }
        }
        let is_last = self.held.back().is_none_or(|last| last.end <= end);
        let behind = if is_last {
            self.held.len()
        } else {
            self.held.partition_point(|held| held.end <= end)
        };
        let held = Held {
            start: arrival.start,
            end,
            ticket: arrival.ticket,
            contradicts: contradicting > 0,
        };
        self.held.insert(behind, held);
        self.charge += Self::charge_for(arrival.payload.len());
        contradicting
    }

    /// Index of the first piece that ends behind `position`. Mostly a segment comes behind all that are held, and a search
    /// among thousands of pieces would read memory that is in no cache.
    fn first_behind(&self, position: u64) -> usize {
        match self.pieces.back() {
            Some(last) if last.end() > position => self.pieces.partition_point(|piece| piece.end() <= position),
            _ => self.pieces.len(),
        }
    }

    /// A segment begins at `position`: makes it the start of a piece, should it lie inside one.
    fn split_at(&mut self, position: u64, spares: &mut Spares) {
        let index = self.first_behind(position);
        let Some(piece) = self.pieces.get_mut(index).filter(|piece| piece.start <= position) else {
            return;
        };
        let offset = (position - piece.start) as usize;
        if offset == 0 {
            piece.segment_start = true;
            return;
        }
        let right = Piece {
            start: position,
            bytes: spares.copy(piece.bytes.get(offset..).unwrap_or_default()),
            missing: piece.missing,
            segment_start: true,
            received: piece.received,
        };
        piece.bytes.truncate(offset);
        piece.missing = 0;
        self.pieces.insert(index + 1, right);
    }

    /// Position of the first byte at or behind `frontier` that is here.
    pub(super) fn next_start(&self, frontier: u64) -> Option<u64> {
        let next = self.pieces.iter().find(|piece| piece.end() > frontier)?;
        Some(next.start.max(frontier))
    }

    /// Takes out the piece that covers `frontier`, dropping those wholly below it.
    pub(super) fn take(&mut self, frontier: u64, spares: &mut Spares) -> Option<Piece> {
        while let Some(piece) = self.pieces.pop_front() {
            if piece.start > frontier {
                self.pieces.push_front(piece);
                return None;
            }
            if piece.end() > frontier {
                return Some(piece);
            }
            spares.recycle(piece.bytes);
        }
        None
    }

    /// Puts a piece back that was taken out and is not done with.
    pub(super) fn put_back(&mut self, piece: Piece) {
        self.pieces.push_front(piece);
    }

    /// The first piece.
    pub(super) fn first(&self) -> Option<&Piece> {
        self.pieces.front()
    }

    /// Copies the bytes that follow `position` without a hole into `buffer` and returns how many there were.
    pub(super) fn look_ahead(&self, position: u64, buffer: &mut [u8]) -> usize {
        let mut filled = 0;
        for piece in &self.pieces {
            let at = position + filled as u64;
            if piece.start > at || filled == buffer.len() {
                break;
            }
            let bytes = piece.bytes.get((at - piece.start) as usize..).unwrap_or_default();
            let room = buffer.get_mut(filled..).unwrap_or_default();
            let count = bytes.len().min(room.len());
            for (slot, byte) in room.iter_mut().zip(bytes) {
                *slot = *byte;
            }
            filled += count;
        }
        filled
    }

    /// Takes out a held segment that ends at or below `frontier`.
    pub(super) fn next_decided(&mut self, frontier: u64) -> Option<Held> {
        let held = self.held.pop_front_if(|held| held.end <= frontier)?;
        self.charge = self.charge.saturating_sub(held.charge());
        shrink(&mut self.held);
        shrink(&mut self.pieces);
        Some(held)
    }

    /// Drops all bytes; nothing is held any more.
    pub(super) fn clear(&mut self, spares: &mut Spares) {
        self.pieces.drain(..).for_each(|piece| spares.recycle(piece.bytes));
        self.held.clear();
        self.charge = 0;
        shrink(&mut self.held);
        shrink(&mut self.pieces);
    }
}

/// Gives memory back when most of it has become idle: only what is held is charged.
fn shrink<T>(queue: &mut VecDeque<T>) {
    const IDLE: usize = 32;
    if queue.capacity() > IDLE && queue.len() < queue.capacity() / 8 {
        queue.shrink_to(IDLE.max(queue.len() * 2));
    }
}

fn slice<'a>(arrival: &Arrival<'a>, from: u64, to: u64) -> &'a [u8] {
    let (from, to) = ((from - arrival.start) as usize, (to - arrival.start) as usize);
    arrival.payload.get(from..to).unwrap_or_default()
}

/// How many bytes from `at` on differ between a piece and a later copy.
fn contradiction(piece: &Piece, at: u64, arrival: &Arrival<'_>) -> u64 {
    let first = piece.bytes.get((at - piece.start) as usize..).unwrap_or_default();
    let copy = arrival.payload.get((at - arrival.start) as usize..).unwrap_or_default();
    first.iter().zip(copy).filter(|(one, other)| one != other).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(stash: &mut Stash, start: u64, payload: &[u8]) -> u64 {
        let arrival = Arrival {
            start,
            payload,
            missing: 0,
            ticket: start,
            frontier: 0,
            received: 0,
        };
        stash.insert(&arrival, &mut Spares::default())
    }

    fn pieces(stash: &mut Stash) -> Vec<(u64, String, bool)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        stash
            .pieces
            .iter()
            .map(|piece| (piece.start, text(&piece.bytes), piece.segment_start))
            .collect()
    }

    #[test]
    fn a_queue_that_was_long_once_gives_its_memory_back() {
        let (mut stash, mut spares) = (Stash::default(), Spares::default());
        for number in 0..4000 {
            insert(&mut stash, 2 * number, b"x");
        }
        while let Some(piece) = stash.take(7997, &mut spares) {
            spares.recycle(piece.bytes);
        }
        while stash.next_decided(7997).is_some() {}
        assert_eq!((stash.pieces.len(), stash.held.len()), (1, 1));
        let idle = (stash.pieces.capacity(), stash.held.capacity());
        assert!(idle.0 <= 64 && idle.1 <= 64, "{idle:?}");
    }

    #[test]
    fn the_first_copy_of_a_byte_wins() {
        let mut stash = Stash::default();
        assert_eq!(insert(&mut stash, 10, b"cdef"), 0);
        assert_eq!(insert(&mut stash, 20, b"mn"), 0);
        assert_eq!(insert(&mut stash, 8, b"abXdefghijklYnop"), 2);
        let expected = [
            (8, "ab".into(), true),
            (10, "cdef".into(), true),
            (14, "ghijkl".into(), false),
            (20, "mn".into(), true),
            (22, "op".into(), false),
        ];
        assert_eq!(pieces(&mut stash), expected);
        assert_eq!(stash.held.iter().filter(|held| held.contradicts).count(), 1);
    }

    #[test]
    fn a_segment_that_starts_inside_another_stays_a_segment_start() {
        let mut stash = Stash::default();
        insert(&mut stash, 10, b"abcdef");
        insert(&mut stash, 13, b"defgh");
        let expected = [
            (10, "abc".into(), true),
            (13, "def".into(), true),
            (16, "gh".into(), false),
        ];
        assert_eq!(pieces(&mut stash), expected);
    }

    #[test]
    fn pieces_come_out_in_order_and_holes_stop_them() {
        let (mut stash, mut spares) = (Stash::default(), Spares::default());
        for (start, payload) in [(30, &b"x"[..]), (10, b"abc"), (13, b"def")] {
            insert(&mut stash, start, payload);
        }
        let mut buffer = [0; 32];
        assert_eq!(stash.look_ahead(11, &mut buffer), 5);
        assert_eq!(&buffer[..5], b"bcdef");
        assert_eq!(stash.take(12, &mut spares).map(|piece| piece.start), Some(10));
        assert_eq!(stash.take(13, &mut spares).map(|piece| piece.start), Some(13));
        assert!(stash.take(16, &mut spares).is_none());
        assert_eq!(stash.first().map(|piece| piece.start), Some(30));
        let decided: Vec<u64> = std::iter::from_fn(|| stash.next_decided(16))
            .map(|held| held.ticket)
            .collect();
        assert_eq!(decided, [10, 13]);
        assert_eq!((stash.len(), stash.charge()), (1, Stash::charge_for(1)));
    }
}
