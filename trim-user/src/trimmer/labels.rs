//! What each payload byte of a segment is.

/// The kind of a payload byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Label {
    /// Start line, field lines and the empty line behind them; 1xx responses; also blank lines before a start line.
    Header,
    /// The value of a header field named in `redact_headers`.
    Redacted,
    /// Trailer section of a chunked message, with its final empty line.
    Trailer,
    /// Chunk-size lines and the line ends behind chunk data.
    Framing,
    /// Message content.
    Body,
    /// Message content that `body_keep_bytes` keeps.
    BodyKept,
    /// Behind CONNECT or Upgrade.
    Opaque,
    /// In a flow that speaks HTTP, at a place where the framing is lost.
    Unsure,
    /// In a flow that does not speak HTTP: its first bytes, seen from the SYN on, are no start line, or none of its
    /// ports is configured.
    NotHttp,
    /// In a flow that has not shown yet whether it speaks HTTP: it is seen from its middle on, or one-sided. Always kept.
    Undecided,
}

impl Label {
    /// How many kinds there are.
    pub const COUNT: usize = 10;
    /// Every kind, in the order of its index.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Header,
        Self::Redacted,
        Self::Trailer,
        Self::Framing,
        Self::Body,
        Self::BodyKept,
        Self::Opaque,
        Self::Unsure,
        Self::NotHttp,
        Self::Undecided,
    ];

    /// Position in per-label arrays.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Redacted => "redacted",
            Self::Trailer => "trailer",
            Self::Framing => "framing",
            Self::Body => "body",
            Self::BodyKept => "body_kept",
            Self::Opaque => "opaque",
            Self::Unsure => "unsure",
            Self::NotHttp => "not_http",
            Self::Undecided => "undecided",
        }
    }
}

/// Labels that tile a payload from its first byte on. Reused from packet to packet, so that it stops allocating.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Labels {
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    end: u32,
    label: Label,
}

impl Clone for Labels {
    fn clone(&self) -> Self {
        Self {
            spans: self.spans.clone(),
        }
    }

    /// Uses the memory that is there.
    fn clone_from(&mut self, other: &Self) {
        self.spans.clone_from(&other.spans);
    }
}

impl Labels {
    /// No labels.
    pub const fn new() -> Self {
        Self { spans: Vec::new() }
    }

    /// Labels of so many bytes each.
    #[cfg(test)]
    pub(crate) fn of(spans: &[(u32, Label)]) -> Self {
        let mut labels = Self::new();
        spans.iter().for_each(|&(length, label)| labels.push(length, label));
        labels
    }

    /// Forgets all labels, keeping the memory.
    #[inline]
    pub fn clear(&mut self) {
        self.spans.clear();
    }

    /// How many payload bytes are labelled.
    #[inline]
    pub fn covered(&self) -> u32 {
        self.spans.last().map_or(0, |span| span.end)
    }

    /// Labels the next `length` bytes. Neighbours of one kind become one span.
    #[inline]
    pub fn push(&mut self, length: u32, label: Label) {
        if length == 0 {
            return;
        }
        let end = self.covered() + length;
        match self.spans.last_mut() {
            Some(last) if last.label == label => last.end = end,
            _ => self.spans.push(Span { end, label }),
        }
    }

    /// Labels everything up to `end` (an offset into the payload); nothing when that much is labelled already.
    #[inline]
    pub fn fill_to(&mut self, end: u32, label: Label) {
        self.push(end.saturating_sub(self.covered()), label);
    }

    /// The spans in order: offsets of the first byte and behind the last one, and the kind.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32, Label)> + '_ {
        let mut start = 0;
        self.spans.iter().map(move |span| {
            let from = start;
            start = span.end;
            (from, span.end, span.label)
        })
    }

    /// The label of the last byte.
    #[inline]
    pub fn last(&self) -> Option<Label> {
        self.spans.last().map(|span| span.label)
    }

    /// The label of the byte at `offset`.
    pub fn at(&self, offset: u32) -> Option<Label> {
        let index = self.spans.partition_point(|span| span.end <= offset);
        self.spans.get(index).map(|span| span.label)
    }

    /// The one label that covers the whole payload, if there is only one.
    #[inline]
    pub fn single(&self) -> Option<Label> {
        match self.spans.as_slice() {
            [only] => Some(only.label),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_kind_are_one_span() {
        let mut labels = Labels::new();
        labels.push(3, Label::Header);
        labels.push(0, Label::Body);
        labels.push(2, Label::Header);
        labels.fill_to(9, Label::Body);
        labels.fill_to(4, Label::Unsure);
        let spans: Vec<_> = labels.iter().collect();
        assert_eq!(spans, [(0, 5, Label::Header), (5, 9, Label::Body)]);
        assert_eq!(labels.single(), None);
        let at = [0, 4, 5, 8, 9].map(|offset| labels.at(offset));
        let (header, body) = (Some(Label::Header), Some(Label::Body));
        assert_eq!(at, [header, header, body, body, None]);
    }
}
