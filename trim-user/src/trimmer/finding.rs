//! A segment on which two trimmers differ, for whoever saves exemplars.

use super::{Label, Labels, Ticket};

/// A segment on which two trimmers differ, and what each says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The packet.
    pub ticket: Ticket,
    /// What the exact trimmer says.
    pub exact: Labels,
    /// What the fast trimmer says.
    pub fast: Labels,
}

impl Finding {
    /// Labels by which only what both call body is removed, and what either calls a redacted value is overwritten.
    pub fn combined(&self) -> Labels {
        let mut combined = Labels::new();
        let mut others = self.fast.iter().peekable();
        for (from, to, exact) in self.exact.iter() {
            let mut at = from;
            while at < to {
                while others.peek().is_some_and(|&(_, end, _)| end <= at) {
                    others.next();
                }
                let (end, fast) = others
                    .peek()
                    .map_or((to, exact), |&(_, end, label)| (end.min(to), label));
                combined.push(end - at, both(exact, fast));
                at = end;
            }
        }
        combined
    }
}

const fn both(exact: Label, fast: Label) -> Label {
    match (exact, fast) {
        (Label::Redacted, _) | (_, Label::Redacted) => Label::Redacted,
        (Label::Body, other) => other,
        (label, _) => label,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_call_body_is_body() {
        let finding = Finding {
            ticket: Ticket(1),
            exact: Labels::of(&[
                (10, Label::Header),
                (10, Label::Body),
                (5, Label::Body),
                (3, Label::Header),
            ]),
            fast: Labels::of(&[
                (5, Label::Body),
                (7, Label::Header),
                (11, Label::Body),
                (5, Label::Redacted),
            ]),
        };
        let expected = Labels::of(&[(12, Label::Header), (11, Label::Body), (5, Label::Redacted)]);
        assert_eq!(finding.combined(), expected);
    }
}
