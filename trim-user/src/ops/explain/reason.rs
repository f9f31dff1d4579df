//! Why a trimmer was unsure.

use super::Explanation;
use super::flow::{Flow, Half, bytes};
use super::messages::Message;
use super::stream::Position;
use crate::ops::tape::Loss;
use crate::trimmer::Label;

impl Explanation<'_> {
    /// Why the bytes of `span`, in `packet`, are unsure: by what stands in front of them, or else by what the trimmer
    /// counted.
    pub(super) fn unsure(&self, packet: usize, flow: &Flow, half: &Half, span: (Position, Position)) -> String {
        let own = self.capture.payload(&self.capture.packets[packet]);
        let place = half.places.get(&packet).copied().unwrap_or(span.0);
        let own = own
            .get((span.0 - place) as usize..(span.1 - place) as usize)
            .unwrap_or(&[]);
        if bytes(self.capture, &half.stream, span.0, span.1) != own {
            return "a copy that contradicts the first one".to_owned();
        }
        let first_copy = half
            .stream
            .stretch_at(span.0)
            .map(|index| half.stream.stretches[index].label);
        if first_copy.is_some_and(|label| label != Label::Unsure) {
            return "seen before, and this strategy does not remember what it was".to_owned();
        }
        self.by_what_stands_in_front(packet, half, span.0)
            .or_else(|| self.by_what_was_counted(packet, flow))
            .unwrap_or_else(|| "no message is known to start here".to_owned())
    }

    fn by_what_stands_in_front(&self, packet: usize, half: &Half, at: Position) -> Option<String> {
        let (first, before) = unsure_from(half, at)?;
        let message = half.messages.iter().rfind(|message| message.start < first);
        let rejected = message
            .and_then(|message| message.rule)
            .filter(|rule| rule.is_rejected());
        if let (Some(message), Some(rule)) = (message, rejected) {
            return Some(format!("behind {}: {}", message.name(), rule.text()));
        }
        let missing = match before {
            Some(end) => first - end,
            None => first - half.base.unwrap_or(first),
        };
        if missing > 0 {
            return Some(format!("{missing} bytes in front are missing from the capture"));
        }
        if before.is_none() && half.base.is_none() {
            return Some("the capture begins in the middle of the connection".to_owned());
        }
        let late = before
            .and_then(|end| half.stream.piece_at(end - 1))
            .filter(|piece| piece.packet > packet);
        if let Some(piece) = late {
            return Some(format!("the bytes in front came later, in packet {}", piece.packet + 1));
        }
        message.and_then(|message| self.by_message(message, first))
    }

    fn by_message(&self, message: &Message, at: Position) -> Option<String> {
        let length = message.header_end - message.start;
        if message.block.is_none() && length >= Position::from(self.max_header_block) {
            let limit = self.max_header_block;
            return Some(format!(
                "the header block of {} is longer than {limit} bytes",
                message.name()
            ));
        }
        if message.block.is_none() {
            return Some(format!(
                "the header block of {} did not come to its end",
                message.name()
            ));
        }
        let inside = message.is_chunked() && message.end == at;
        inside.then(|| format!("behind a malformed chunk of {} (RFC 9112 7.1)", message.name()))
    }

    /// The loss in this flow that the trimmer counted last before, or else first behind, the packet.
    fn by_what_was_counted(&self, packet: usize, flow: &Flow) -> Option<String> {
        let mine = self
            .losses
            .iter()
            .filter(|(at, _)| flow.packets.binary_search(at).is_ok());
        let before = mine.clone().rfind(|&&(at, _)| at <= packet);
        let &(at, loss) = before.or_else(|| mine.clone().next())?;
        let text = match loss {
            Loss::Gap => "the framing was lost to a gap",
            Loss::Framing => "the framing was lost to malformed or contradictory framing",
            Loss::Limit => "the framing was lost to a limit",
            Loss::Conflict => "bytes came again with other content",
        };
        Some(format!("{text} (seen at packet {})", at + 1))
    }
}

/// Where the unsure bytes around `at` begin, and where the bytes in front of them end, if there are any.
fn unsure_from(half: &Half, at: Position) -> Option<(Position, Option<Position>)> {
    let stretches = &half.stream.stretches;
    let mut index = half.stream.stretch_at(at)?;
    while let Some(before) = index.checked_sub(1)
        && stretches[before].label == Label::Unsure
        && stretches[before].end == stretches[index].at
    {
        index = before;
    }
    let before = index.checked_sub(1).map(|before| stretches[before].end);
    Some((stretches[index].at, before))
}
