//! Where redacted values stood, so that a retransmitted copy hides them too.

use crate::trimmer::{Label, Labels};

/// Values remembered per direction.
const REMEMBERED: usize = 64;

/// The latest redacted stretches of one direction, by position.
#[derive(Debug)]
pub(super) struct Secrets {
    stretches: [(u64, u64); REMEMBERED],
    next: usize,
    /// The labels being rewritten.
    spare: Labels,
}

impl Secrets {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            stretches: [(0, 0); REMEMBERED],
            next: 0,
            spare: Labels::new(),
        }
    }

    /// Starts anew.
    pub(super) fn clear(&mut self) {
        self.stretches = [(0, 0); REMEMBERED];
    }

    /// Positions `from..to` are part of a value. A stretch that goes on from the last one extends it.
    pub(super) fn remember(&mut self, from: u64, to: u64) {
        let last = (self.next + REMEMBERED - 1) % REMEMBERED;
        if self.stretches[last].1 == from {
            self.stretches[last].1 = to;
            return;
        }
        self.stretches[self.next] = (from, to);
        self.next = (self.next + 1) % REMEMBERED;
    }

    /// Where the positions from `at` on are secret or not: whether, and up to which position.
    fn at(&self, at: u64) -> (bool, u64) {
        let mut until = u64::MAX;
        for &(from, to) in &self.stretches {
            if (from..to).contains(&at) {
                return (true, to);
            }
            if from > at {
                until = until.min(from);
            }
        }
        (false, until)
    }

    /// Marks the secret ones among the bytes that `labels` call unsure. `start` is the position of the first byte.
    pub(super) fn relabel(&mut self, start: u64, labels: &mut Labels) {
        let mut fresh = std::mem::take(&mut self.spare);
        fresh.clear();
        for (from, to, label) in labels.iter() {
            let (mut at, end) = (start + u64::from(from), start + u64::from(to));
            while at < end {
                let (secret, until) = self.at(at);
                let until = until.min(end);
                let label = if secret && label == Label::Unsure {
                    Label::Redacted
                } else {
                    label
                };
                fresh.push((until - at) as u32, label);
                at = until;
            }
        }
        std::mem::swap(labels, &mut fresh);
        self.spare = fresh;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_part_of_a_copy_is_found_whatever_its_boundaries() {
        let mut secrets = Secrets::new();
        secrets.remember(100, 110);
        secrets.remember(110, 120);
        secrets.remember(200, 201);
        let mut labels = Labels::new();
        labels.push(30, Label::Unsure);
        labels.push(100, Label::Body);
        secrets.relabel(95, &mut labels);
        let spans: Vec<_> = labels.iter().collect();
        let expected = [
            (0, 5, Label::Unsure),
            (5, 25, Label::Redacted),
            (25, 30, Label::Unsure),
            (30, 130, Label::Body),
        ];
        assert_eq!(spans, expected);
    }

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut secrets = Secrets::new();
        for start in 0..=REMEMBERED as u64 {
            secrets.remember(start * 10, start * 10 + 5);
        }
        assert_eq!(secrets.at(0), (false, 10));
        assert_eq!(secrets.at(10), (true, 15));
    }
}
