//! One direction of a flow in sequence space, with the label of every byte. The first captured copy of a byte counts.

use std::collections::BTreeMap;

use crate::trimmer::{Label, Labels};

/// A place in a direction: an unwrapped sequence number.
pub(super) type Position = i64;

/// The payload of one packet at its place.
pub(super) struct Arrival {
    pub(super) at: Position,
    pub(super) length: u32,
    pub(super) packet: usize,
}

/// Bytes that one packet was the first to bring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) at: Position,
    pub(super) end: Position,
    pub(super) packet: usize,
    /// Offset of the first byte in the packet's payload.
    pub(super) offset: u32,
}

/// Neighbouring bytes with one label.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) at: Position,
    pub(super) end: Position,
    pub(super) label: Label,
    /// Framing bytes of the direction in front of it.
    pub(super) framing_before: u64,
}

/// A direction.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) pieces: Vec<Piece>,
    pub(super) stretches: Vec<Stretch>,
}

impl Stream {
    /// Puts `arrivals`, in capture order, together. `labels` gives those of a packet.
    pub(super) fn assemble<'l>(arrivals: &[Arrival], labels: impl Fn(usize) -> &'l Labels) -> Self {
        let mut pieces = BTreeMap::new();
        for arrival in arrivals {
            insert_new_bytes(&mut pieces, arrival);
        }
        let mut stream = Self {
            pieces: pieces.into_values().collect(),
            stretches: Vec::new(),
        };
        let mut framing = 0;
        for piece in &stream.pieces {
            for (from, to, label) in labels(piece.packet).iter() {
                let at = piece.at + Position::from(from) - Position::from(piece.offset);
                let end = at + Position::from(to - from);
                push(
                    &mut stream.stretches,
                    at.max(piece.at),
                    end.min(piece.end),
                    label,
                    &mut framing,
                );
            }
        }
        stream
    }

    /// Index of the stretch that holds `at`.
    pub(super) fn stretch_at(&self, at: Position) -> Option<usize> {
        let index = self.stretches.partition_point(|stretch| stretch.end <= at);
        self.stretches
            .get(index)
            .filter(|stretch| stretch.at <= at)
            .map(|_| index)
    }

    /// The piece that holds `at`.
    pub(super) fn piece_at(&self, at: Position) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.end <= at);
        self.pieces.get(index).filter(|piece| piece.at <= at)
    }

    /// Framing bytes of the direction in front of `at`, which is captured or at the end of something captured.
    pub(super) fn framing_before(&self, at: Position) -> u64 {
        let index = self.stretches.partition_point(|stretch| stretch.at < at);
        let Some(before) = index.checked_sub(1).map(|index| &self.stretches[index]) else {
            return 0;
        };
        let own = match before.label {
            Label::Framing => (before.end.min(at) - before.at).unsigned_abs(),
            _ => 0,
        };
        before.framing_before + own
    }
}

fn push(stretches: &mut Vec<Stretch>, at: Position, end: Position, label: Label, framing: &mut u64) {
    if end <= at {
        return;
    }
    let before = *framing;
    if label == Label::Framing {
        *framing += (end - at).unsigned_abs();
    }
    match stretches.last_mut() {
        Some(last) if last.label == label && last.end == at => last.end = end,
        _ => stretches.push(Stretch {
            at,
            end,
            label,
            framing_before: before,
        }),
    }
}

/// Adds those bytes of `arrival` that no earlier packet brought.
fn insert_new_bytes(pieces: &mut BTreeMap<Position, Piece>, arrival: &Arrival) {
    let end = arrival.at + Position::from(arrival.length);
    let mut at = arrival.at;
    while at < end {
        let covered_to = pieces.range(..=at).next_back().map_or(at, |(_, piece)| piece.end);
        if covered_to > at {
            at = covered_to;
            continue;
        }
        let free_to = pieces.range(at + 1..).next().map_or(end, |(&start, _)| start.min(end));
        let piece = Piece {
            at,
            end: free_to,
            packet: arrival.packet,
            offset: (at - arrival.at) as u32,
        };
        pieces.insert(at, piece);
        at = free_to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_copy_of_a_byte_gives_its_label_and_framing_is_summed_up() {
        let of_packets = [
            Labels::of(&[(4, Label::Header), (2, Label::Framing)]),
            Labels::of(&[(6, Label::Unsure), (4, Label::Body)]),
            Labels::of(&[(3, Label::Framing), (1, Label::Body)]),
        ];
        let arrival = |at, length, packet| Arrival { at, length, packet };
        let arrivals = [arrival(10, 6, 0), arrival(10, 10, 1), arrival(30, 4, 2)];
        let stream = Stream::assemble(&arrivals, |packet| &of_packets[packet]);
        let stretches: Vec<_> = stream.stretches.iter().map(|it| (it.at, it.end, it.label)).collect();
        assert_eq!(
            stretches,
            [
                (10, 14, Label::Header),
                (14, 16, Label::Framing),
                (16, 20, Label::Body),
                (30, 33, Label::Framing),
                (33, 34, Label::Body)
            ]
        );
        let framing = [12, 15, 16, 20, 31, 33, 34].map(|at| stream.framing_before(at));
        assert_eq!(framing, [0, 1, 2, 2, 3, 5, 5]);
        assert_eq!(
            stream.piece_at(17).map(|piece| (piece.packet, piece.offset)),
            Some((1, 6))
        );
        assert!(stream.piece_at(25).is_none() && stream.stretch_at(25).is_none());
    }
}
