//! What the bytes of one direction were, for copies of them that come later.

use crate::trimmer::pool::{NONE, Pool};
use crate::trimmer::{Label, Labels};

/// Boundaries per block, so that a block is 128 bytes.
const PER_BLOCK: usize = 15;

/// Most blocks a direction keeps: some 4000 boundaries, two thousand messages.
pub(super) const MOST_BLOCKS: u16 = 273;

/// Where a run of bytes with one label begins, in one word: position above, label in the lowest eight bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Boundary(u64);

impl Boundary {
    fn new(position: u64, label: Label) -> Self {
        Self(position << 8 | label as u64)
    }

    fn position(self) -> u64 {
        self.0 >> 8
    }

    fn label(self) -> Label {
        Label::ALL
            .get((self.0 & 0xff) as usize)
            .copied()
            .unwrap_or(Label::Unsure)
    }
}

/// Older boundaries of a direction. All blocks but the newest are full.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    boundaries: [Boundary; PER_BLOCK],
    older: u32,
    newer: u32,
}

/// Blocks of all directions.
pub(super) type Blocks = Pool<Block>;

/// The labels of one direction, from `floor` on. The newest run is kept here, older ones in blocks, so that a direction
/// with one kind of bytes and the ordinary look-up touch nothing else.
#[derive(Clone, Copy, Debug)]
pub(super) struct History {
    floor: u64,
    current: Boundary,
    newest: u32,
    oldest: u32,
    blocks: u16,
    in_newest: u8,
    empty: bool,
}

impl History {
    pub(super) const EMPTY: Self = Self {
        floor: 0,
        current: Boundary(0),
        newest: NONE,
        oldest: NONE,
        blocks: 0,
        in_newest: 0,
        empty: true,
    };

    /// Everything from `position` on is `label`, whatever was said of it before.
    pub(super) fn set(&mut self, blocks: &mut Blocks, position: u64, label: Label) {
        while !self.empty && position <= self.current.position() {
            self.pop(blocks);
        }
        if self.empty {
            (self.floor, self.empty) = (position, false);
        } else if self.current.label() == label {
            return;
        } else {
            self.push(blocks, self.current);
        }
        self.current = Boundary::new(position, label);
    }

    fn push(&mut self, blocks: &mut Blocks, boundary: Boundary) {
        if self.blocks == 0 || usize::from(self.in_newest) == PER_BLOCK {
            let added = blocks.insert(Block {
                boundaries: [Boundary::default(); PER_BLOCK],
                older: self.newest,
                newer: NONE,
            });
            match self.newest {
                NONE => self.oldest = added,
                before => blocks.get_mut(before).newer = added,
            }
            (self.newest, self.in_newest) = (added, 0);
            self.blocks = self.blocks.saturating_add(1);
        }
        blocks.get_mut(self.newest).boundaries[usize::from(self.in_newest)] = boundary;
        self.in_newest += 1;
    }

    /// Takes the current run back; the one before it becomes current.
    fn pop(&mut self, blocks: &mut Blocks) {
        if self.newest == NONE {
            self.empty = true;
            return;
        }
        self.in_newest -= 1;
        let block = blocks.get(self.newest);
        self.current = block.boundaries[usize::from(self.in_newest)];
        if self.in_newest == 0 {
            let emptied = self.newest;
            self.newest = block.older;
            match self.newest {
                NONE => self.oldest = NONE,
                before => blocks.get_mut(before).newer = NONE,
            }
            self.in_newest = PER_BLOCK as u8;
            blocks.free(emptied);
            self.blocks -= 1;
        }
    }

    /// Forgets the oldest labels until at most `most` blocks are left.
    pub(super) fn trim(&mut self, blocks: &mut Blocks, most: u16) {
        while self.blocks > most.max(1) {
            let forgotten = self.oldest;
            self.oldest = blocks.get(forgotten).newer;
            blocks.free(forgotten);
            self.blocks -= 1;
            let first = blocks.get_mut(self.oldest);
            first.older = NONE;
            self.floor = first.boundaries[0].position();
        }
    }

    /// How many blocks this direction has.
    pub(super) fn blocks(&self) -> u16 {
        self.blocks
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self, blocks: &mut Blocks) {
        let mut block = self.newest;
        while block != NONE {
            let older = blocks.get(block).older;
            blocks.free(block);
            block = older;
        }
        *self = Self::EMPTY;
    }

    /// The label of everything from `position` on, if that is one.
    #[inline]
    pub(super) fn newest(&self, position: u64) -> Option<Label> {
        (!self.empty && position >= self.current.position()).then(|| self.current.label())
    }

    /// Appends the labels of the bytes from `from` to `to` (both below the frontier); what is forgotten is `unknown`.
    #[inline]
    pub(super) fn emit(&self, blocks: &Blocks, from: u64, to: u64, unknown: Label, labels: &mut Labels) {
        if !self.empty && from >= self.current.position() {
            push(labels, from, to, self.current.label());
        } else {
            self.emit_older(blocks, from, to, unknown, labels);
        }
    }

    fn emit_older(&self, blocks: &Blocks, from: u64, to: u64, unknown: Label, labels: &mut Labels) {
        let floor = if self.empty { to } else { self.floor.clamp(from, to) };
        push(labels, from, floor, unknown);
        let (mut at, Some((mut block, mut index))) = (floor, self.find(blocks, floor)) else {
            return push(labels, floor, to, self.current.label());
        };
        while at < to && block != NONE {
            let count = if block == self.newest {
                usize::from(self.in_newest)
            } else {
                PER_BLOCK
            };
            let here = blocks.get(block);
            let (next_block, next_index) = if index + 1 < count {
                (block, index + 1)
            } else {
                (here.newer, 0)
            };
            let end = match next_block {
                NONE => self.current,
                _ => blocks.get(next_block).boundaries[next_index],
            };
            let end = end.position().clamp(at, to);
            push(labels, at, end, here.boundaries[index].label());
            (at, block, index) = (end, next_block, next_index);
        }
        push(labels, at, to, self.current.label());
    }

    /// The last boundary in the blocks at or before `position`, looked for from the newest on, because most copies
    /// are of recent bytes.
    fn find(&self, blocks: &Blocks, position: u64) -> Option<(u32, usize)> {
        let (mut block, mut count) = (self.newest, usize::from(self.in_newest));
        while block != NONE {
            let here = blocks.get(block);
            if here.boundaries[0].position() <= position {
                let known = here.boundaries.get(..count).unwrap_or_default();
                let index = known.partition_point(|boundary| boundary.position() <= position);
                return Some((block, index.saturating_sub(1)));
            }
            (block, count) = (here.older, PER_BLOCK);
        }
        None
    }
}

#[inline]
fn push(labels: &mut Labels, from: u64, to: u64, label: Label) {
    labels.push(u32::try_from(to.saturating_sub(from)).unwrap_or(u32::MAX), label);
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Label; 3] = [Label::Header, Label::Body, Label::Framing];

    fn emitted(history: &History, blocks: &Blocks, from: u64, to: u64) -> Vec<(u64, u64, Label)> {
        let mut labels = Labels::new();
        history.emit(blocks, from, to, Label::Unsure, &mut labels);
        labels
            .iter()
            .map(|(a, b, label)| (from + u64::from(a), from + u64::from(b), label))
            .collect()
    }

    /// Runs of ten bytes from position 1000 on, of three kinds in turn.
    fn filled(blocks: &mut Blocks, runs: u64) -> History {
        let mut history = History::EMPTY;
        for run in 0..runs {
            history.set(blocks, 1000 + run * 10, KINDS[run as usize % 3]);
        }
        history
    }

    #[test]
    fn every_range_has_the_labels_it_was_given() {
        let mut blocks = Blocks::new();
        let history = filled(&mut blocks, 100);
        for from in 1000..1990 {
            let length = 35;
            let spans = emitted(&history, &blocks, from, from + length);
            let mut at = from;
            for (start, end, label) in spans {
                assert_eq!(start, at);
                for position in start..end {
                    let run = (position - 1000) / 10;
                    assert_eq!(label, KINDS[run.min(99) as usize % 3], "{position}");
                }
                at = end;
            }
            assert_eq!(at, from + length);
        }
        assert_eq!(
            emitted(&history, &blocks, 990, 1005),
            [(990, 1000, Label::Unsure), (1000, 1005, Label::Header)]
        );
        assert_eq!(emitted(&history, &blocks, 980, 990), [(980, 990, Label::Unsure)]);
    }

    #[test]
    fn setting_a_position_again_takes_back_what_was_behind_it() {
        let mut blocks = Blocks::new();
        let mut history = filled(&mut blocks, 100);
        history.set(&mut blocks, 1155, Label::Opaque);
        assert_eq!(
            emitted(&history, &blocks, 1150, 1990),
            [(1150, 1155, KINDS[0]), (1155, 1990, Label::Opaque)]
        );
        history.set(&mut blocks, 1000, Label::Trailer);
        assert_eq!(emitted(&history, &blocks, 1000, 1990), [(1000, 1990, Label::Trailer)]);
        assert_eq!((history.blocks(), blocks.used()), (0, 0));
        history.set(&mut blocks, 1000, Label::Header);
        assert_eq!(
            emitted(&history, &blocks, 999, 1001),
            [(999, 1000, Label::Unsure), (1000, 1001, Label::Header)]
        );
    }

    #[test]
    fn neighbours_of_one_kind_cost_nothing() {
        let mut blocks = Blocks::new();
        let mut history = History::EMPTY;
        (0..1000).for_each(|at| history.set(&mut blocks, at, Label::Header));
        assert_eq!(blocks.used(), 0);
    }

    #[test]
    fn the_oldest_labels_are_forgotten_first() {
        let mut blocks = Blocks::new();
        let mut history = filled(&mut blocks, 100);
        history.trim(&mut blocks, 2);
        assert_eq!((history.blocks(), blocks.used()), (2, 2));
        let floor = 1000 + 75 * 10;
        assert_eq!(
            emitted(&history, &blocks, 1000, floor + 1),
            [(1000, floor, Label::Unsure), (floor, floor + 1, KINDS[0])]
        );
        history.clear(&mut blocks);
        assert_eq!(blocks.used(), 0);
        assert_eq!(
            emitted(&history, &blocks, floor, floor + 1),
            [(floor, floor + 1, Label::Unsure)]
        );
    }
}
