//! Where two trimmers label the same bytes otherwise, by what comes of it.

use serde::Serialize;

use super::{Label, Labels};

/// How another label differs from the one of reference, judged by what the default policy does with the byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Class {
    /// A byte of a header block or trailer, which the other one would remove.
    HeaderLost,
    /// A body byte that the other one takes for one of a header block or trailer.
    HeaderGained,
    /// A body byte that the other one keeps for another reason.
    BodyKept,
    /// A byte that the reference is not sure of, or that it does not take for HTTP, and the other one would remove.
    UnsureCut,
    /// A byte of framing, of a tunnel, or of the kept beginning of a body, which the other one would remove.
    FramingCut,
    /// Only one of them overwrites the byte as part of a redacted value.
    Redaction,
    /// Both keep it under different names.
    NameOnly,
}

impl Class {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// Every class, the gravest first, in the order of its index.
    pub const ALL: [Self; Self::COUNT] = [
        Self::HeaderLost,
        Self::HeaderGained,
        Self::BodyKept,
        Self::UnsureCut,
        Self::FramingCut,
        Self::Redaction,
        Self::NameOnly,
    ];

    /// Position in per-class arrays.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class of a byte with these labels; `None` when they are the same.
    #[inline]
    pub fn of(reference: Label, other: Label) -> Option<Self> {
        let is_header = |label| matches!(label, Label::Header | Label::Redacted | Label::Trailer);
        Some(match (reference, other) {
            _ if reference == other => return None,
            (Label::Body, _) if is_header(other) => Self::HeaderGained,
            (Label::Body, _) => Self::BodyKept,
            (_, Label::Body) if is_header(reference) => Self::HeaderLost,
            (Label::Unsure | Label::Undecided | Label::NotHttp, Label::Body) => Self::UnsureCut,
            (_, Label::Body) => Self::FramingCut,
            (Label::Redacted, _) | (_, Label::Redacted) => Self::Redaction,
            _ => Self::NameOnly,
        })
    }

    /// Whether one of the two keeps the byte as part of a header block or trailer and the other one removes it.
    pub const fn is_about_headers(self) -> bool {
        matches!(self, Self::HeaderLost | Self::HeaderGained)
    }

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HeaderLost => "header_lost",
            Self::HeaderGained => "header_gained",
            Self::BodyKept => "body_kept",
            Self::UnsureCut => "unsure_cut",
            Self::FramingCut => "framing_cut",
            Self::Redaction => "redaction",
            Self::NameOnly => "name_only",
        }
    }
}

/// Calls `found` for every stretch of a payload (offsets of its first byte and behind its last one) that two trimmers
/// label otherwise. Neighbours of one class may come in several stretches.
#[inline]
pub fn differences(reference: &Labels, other: &Labels, mut found: impl FnMut(u32, u32, Class)) {
    if reference == other {
        return;
    }
    let mut others = other.iter().peekable();
    for (from, to, label) in reference.iter() {
        let mut at = from;
        while at < to {
            while others.peek().is_some_and(|&(_, end, _)| end <= at) {
                others.next();
            }
            let Some(&(_, end, says)) = others.peek() else {
                return;
            };
            let next = end.min(to);
            if let Some(class) = Class::of(label, says) {
                found(at, next, class);
            }
            at = next;
        }
    }
}

/// Where a second trimmer labels bytes otherwise than the exact one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// Segments that both have judged.
    pub compared: u64,
    /// Of those, with any difference.
    pub segments: u64,
    /// Of those, where a header byte would be lost, or a body byte kept: not only another name, or another opinion of what the
    /// exact one is not sure of.
    pub wrong: u64,
    /// Bytes by class, indexed by [`Class::index`].
    pub bytes: [u64; Class::COUNT],
    /// Segments given up because the second opinion took too long.
    pub not_compared: u64,
}

impl Differences {
    /// Counts where the labels of one segment differ; whether they do.
    pub(super) fn compare(&mut self, exact: &Labels, fast: &Labels) -> bool {
        let (mut is_different, mut is_wrong) = (false, false);
        differences(exact, fast, |from, to, class| {
            self.bytes[class.index()] += u64::from(to - from);
            is_different = true;
            is_wrong |= matches!(class, Class::HeaderLost | Class::HeaderGained | Class::BodyKept);
        });
        self.compared += 1;
        self.segments += u64::from(is_different);
        self.wrong += u64::from(is_wrong);
        is_different
    }

    /// Bytes of one class.
    pub const fn of(&self, class: Class) -> u64 {
        self.bytes[class.index()]
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        self.compared += other.compared;
        self.segments += other.segments;
        self.wrong += other.wrong;
        for (mine, theirs) in self.bytes.iter_mut().zip(other.bytes) {
            *mine += theirs;
        }
        self.not_compared += other.not_compared;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_counted_by_what_they_would_have_done() {
        let mut differences = Differences::default();
        let exact = Labels::of(&[
            (10, Label::Header),
            (12, Label::Body),
            (5, Label::Unsure),
            (5, Label::Framing),
            (2, Label::Redacted),
            (1, Label::Opaque),
        ]);
        let fast = Labels::of(&[
            (8, Label::Header),
            (4, Label::Body),
            (8, Label::Unsure),
            (2, Label::Header),
            (10, Label::Body),
            (2, Label::Header),
            (1, Label::Unsure),
        ]);
        differences.compare(&exact, &fast);
        let expected = Differences {
            compared: 1,
            segments: 1,
            wrong: 1,
            bytes: [2, 2, 8, 5, 5, 2, 1],
            not_compared: 0,
        };
        assert_eq!(differences, expected);
        differences.compare(&exact, &exact);
        assert_eq!(
            differences,
            Differences {
                compared: 2,
                ..expected
            }
        );
    }

    #[test]
    fn a_class_stands_at_its_index() {
        for (index, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class.index(), index);
        }
    }
}
