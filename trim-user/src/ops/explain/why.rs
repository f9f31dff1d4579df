//! The ranges of a segment, with the message of each and the rule behind it.

use super::Explanation;
use super::flow::{Flow, Half, bytes};
use super::messages::Message;
use super::report::Range;
use super::rule::Rule;
use super::stream::Position;
use crate::packet::TcpLayout;
use crate::trimmer::Label;

/// Most bytes of a framing line that are shown.
const LONGEST_FRAMING: usize = 24;

impl Explanation<'_> {
    /// The ranges of a segment: its labels, divided where messages and header blocks end.
    pub(super) fn ranges(&self, packet: usize, layout: &TcpLayout, flow: &Flow) -> Vec<Range> {
        let half = &flow.halves[layout.direction.index()];
        let place = half.places.get(&packet).copied();
        let mut ranges = Vec::new();
        for (from, to, label) in self.labels[packet].iter() {
            let mut at = from;
            while at < to {
                let end = place.map_or(to, |place| next_boundary(half, place, at, to));
                ranges.push(self.range(packet, layout, flow, (at, end, label)));
                at = end;
            }
        }
        ranges
    }

    fn range(&self, packet: usize, layout: &TcpLayout, flow: &Flow, what: (u32, u32, Label)) -> Range {
        let (from, to, label) = what;
        let half = &flow.halves[layout.direction.index()];
        let place = half.places.get(&packet).copied();
        let span = place.map(|place| (place + Position::from(from), place + Position::from(to)));
        let message = span.and_then(|(at, _)| message_at(half, at, label));
        let why = match span {
            None => "payload of a reset segment is no part of the stream".to_owned(),
            Some(span) => self.why(packet, flow, half, label, span, message),
        };
        let again = span
            .and_then(|(at, _)| half.stream.piece_at(at))
            .filter(|piece| piece.packet != packet);
        let again = again.map_or_else(String::new, |piece| {
            format!("; first seen in packet {}", piece.packet + 1)
        });
        Range {
            from,
            to,
            label: label.name(),
            fate: "",
            message: message.map(Message::name),
            why: why + &again,
        }
    }

    fn why(
        &self,
        packet: usize,
        flow: &Flow,
        half: &Half,
        label: Label,
        span: (Position, Position),
        message: Option<&Message>,
    ) -> String {
        match label {
            Label::Header => header(span, message),
            Label::Redacted => "value of a field that is redacted".to_owned(),
            Label::Trailer => "trailer section (RFC 9112 7.1.2)".to_owned(),
            Label::Framing => {
                let end = span.1.min(span.0 + LONGEST_FRAMING as Position);
                let line = bytes(self.capture, &half.stream, span.0, end)
                    .escape_ascii()
                    .to_string();
                format!("chunk framing \"{line}\" (RFC 9112 7.1)")
            }
            Label::Body => body(half, span, message),
            Label::BodyKept => format!("{}, which body_keep lets stay", body(half, span, message)),
            Label::Opaque => opaque(flow),
            Label::Unsure => self.unsure(packet, flow, half, span),
            Label::NotHttp => {
                "the flow does not speak HTTP: its first bytes are no start line, or none of its ports is configured"
                    .to_owned()
            }
            Label::Undecided => "the flow has not shown yet whether it speaks HTTP".to_owned(),
        }
    }
}

/// Where the next message or its content begins behind payload offset `at`, `to` at the latest.
fn next_boundary(half: &Half, place: Position, at: u32, to: u32) -> u32 {
    let here = place + Position::from(at);
    let first = half.messages.partition_point(|message| message.header_end <= here);
    let boundaries = half.messages[first..].iter().take(2);
    let next = boundaries
        .flat_map(|message| [message.start, message.header_end])
        .find(|&boundary| boundary > here);
    next.and_then(|next| u32::try_from(next - place).ok())
        .map_or(to, |next| next.min(to))
}

/// The message that a byte with this label belongs to.
fn message_at(half: &Half, at: Position, label: Label) -> Option<&Message> {
    let index = half
        .messages
        .partition_point(|message| message.start <= at)
        .checked_sub(1)?;
    let message = &half.messages[index];
    match label {
        Label::Header | Label::Redacted => Some(message).filter(|message| at < message.header_end),
        Label::Body | Label::BodyKept | Label::Framing | Label::Trailer => {
            Some(message).filter(|message| at < message.end)
        }
        Label::Opaque | Label::Unsure | Label::NotHttp | Label::Undecided => None,
    }
}

fn header((from, to): (Position, Position), message: Option<&Message>) -> String {
    let Some(message) = message else {
        return "part of a header block".to_owned();
    };
    let length = message.header_end - message.start;
    let mut text = match (from == message.start, to == message.header_end) {
        (true, true) => "header block".to_owned(),
        _ => format!(
            "header block, bytes {}..{} of {length}",
            from - message.start,
            to - message.start
        ),
    };
    match message.rule {
        Some(rule) if to == message.header_end => text = format!("{text}; {}", rule.text()),
        Some(_) => {}
        None => text.push_str(" so far: it is not complete"),
    }
    text
}

fn body(half: &Half, (from, to): (Position, Position), message: Option<&Message>) -> String {
    let Some(message) = message else {
        return "answer to an HTTP/0.9 request: all of it is body".to_owned();
    };
    let framing = half.stream.framing_before(from) - half.stream.framing_before(message.header_end);
    let offset = (from - message.header_end).unsigned_abs() - framing;
    let end = offset + (to - from).unsigned_abs();
    match message.rule {
        Some(Rule::Length(length)) => format!("body, bytes {offset}..{end} of {length} (Content-Length)"),
        Some(Rule::Chunked { .. }) => format!("body, bytes {offset}..{end} (chunked)"),
        Some(Rule::UntilClose | Rule::CodedUntilClose) => format!("body, bytes {offset}..{end} (until close)"),
        _ => format!("body, bytes {offset}..{end}"),
    }
}

/// Which message ended HTTP.
fn opaque(flow: &Flow) -> String {
    let messages = flow.halves.iter().flat_map(|half| &half.messages);
    let mut messages = messages.filter(|message| matches!(message.rule, Some(Rule::Upgraded | Rule::Connected)));
    match messages.next() {
        Some(message) => format!("no HTTP any more since {}", message.name()),
        None => "no HTTP any more".to_owned(),
    }
}
