//! The messages of a direction, read off the labels of its bytes and the header blocks themselves.

use super::rule::Rule;
use super::stream::{Position, Stream};
use crate::http::{
    BlockStep, Expected, HeaderBlock, HeaderBlockParser, Method, RedactedFields, StartLine, TransferEncoding,
};
use crate::trimmer::Label;

/// Most characters of a start line that are shown.
const LONGEST_LINE: usize = 72;

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// From 1 within its direction.
    pub(super) number: usize,
    pub(super) is_request: bool,
    /// First byte, blank lines in front of the start line included.
    pub(super) start: Position,
    /// Behind the header block, or behind what is there of it.
    pub(super) header_end: Position,
    /// Behind the last byte that belongs to it for certain.
    pub(super) end: Position,
    /// Method and target of the request, or of the request that it answers.
    pub(super) about: Option<String>,
    /// What the header block says; `None` when it is not complete.
    pub(super) block: Option<HeaderBlock>,
    pub(super) rule: Option<Rule>,
}

impl Message {
    fn status(&self) -> Option<u16> {
        match self.block?.start {
            StartLine::Response { status } => Some(status),
            _ => None,
        }
    }

    fn method(&self) -> Method {
        match self.block.map(|block| block.start) {
            Some(StartLine::Request { method }) => method,
            _ => Method::Other,
        }
    }

    /// It is an answer that is followed by another one to the same request (101 aside).
    fn is_interim(&self) -> bool {
        self.status()
            .is_some_and(|status| (100..200).contains(&status) && status != 101)
    }

    /// Whether its content is chunked.
    pub(super) fn is_chunked(&self) -> bool {
        self.block
            .is_some_and(|block| block.fields.transfer_encoding == TransferEncoding::Chunked)
    }

    /// What it is called in explanations.
    pub(super) fn name(&self) -> String {
        let number = self.number;
        match (self.is_request, self.status(), &self.about) {
            (true, _, Some(about)) => format!("request {number} {about}"),
            (false, Some(status), Some(about)) => format!("response {number} ({status} to {about})"),
            (false, Some(status), None) => format!("response {number} ({status})"),
            (true, _, None) => format!("request {number}"),
            (false, None, _) => format!("response {number}"),
        }
    }
}

/// Reads the messages of a direction. `bytes` appends the bytes between two positions that were captured.
pub(super) fn messages(stream: &Stream, limit: u32, bytes: impl Fn(Position, Position) -> Vec<u8>) -> Vec<Message> {
    let mut walk = Walk {
        limit,
        bytes,
        parser: None,
        messages: Vec::new(),
        previous_end: Position::MIN,
        is_open: false,
    };
    for stretch in &stream.stretches {
        if walk.previous_end != stretch.at {
            walk.incomplete();
        }
        match stretch.label {
            Label::Header | Label::Redacted => walk.header(stretch.at, stretch.end),
            Label::Body | Label::BodyKept | Label::Framing | Label::Trailer | Label::Opaque => {
                walk.content(stretch.end)
            }
            Label::Unsure | Label::NotHttp | Label::Undecided => walk.give_up(),
        }
        walk.previous_end = stretch.end;
    }
    walk.give_up();
    walk.messages
}

struct Walk<B> {
    limit: u32,
    bytes: B,
    /// A header block that is not complete, and where it began.
    parser: Option<(HeaderBlockParser, Position)>,
    messages: Vec<Message>,
    previous_end: Position,
    /// What comes next may be content of the last message.
    is_open: bool,
}

impl<B: Fn(Position, Position) -> Vec<u8>> Walk<B> {
    fn header(&mut self, from: Position, to: Position) {
        let bytes = (self.bytes)(from, to);
        let mut taken = 0;
        while taken < bytes.len() {
            let at = from + taken as Position;
            let (mut parser, start) = self
                .parser
                .take()
                .unwrap_or_else(|| (HeaderBlockParser::new(Expected::Any, true), at));
            match parser.feed(&bytes[taken..], self.limit, &RedactedFields::default(), &mut |_, _| {}) {
                BlockStep::More => {
                    self.parser = Some((parser, start));
                    return;
                }
                BlockStep::Done { consumed, block } => {
                    taken += consumed;
                    self.push(start, from + taken as Position, Some(block));
                }
                BlockStep::NotAMessage { .. } | BlockStep::TooLong { .. } => return self.push(start, to, None),
            }
        }
    }

    fn push(&mut self, start: Position, end: Position, block: Option<HeaderBlock>) {
        let line = shown_line(&(self.bytes)(start, end));
        let is_request = match block {
            Some(block) => !matches!(block.start, StartLine::Response { .. }),
            None => !line.starts_with("HTTP/"),
        };
        let mut words = line.split(' ');
        let about = is_request.then(|| {
            let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            format!("{method} {target}")
        });
        self.messages.push(Message {
            number: self.messages.len() + 1,
            is_request,
            start,
            header_end: end,
            end,
            about,
            block,
            rule: None,
        });
        self.is_open = block.is_some();
    }

    fn content(&mut self, end: Position) {
        self.incomplete();
        if let Some(message) = self.messages.last_mut().filter(|_| self.is_open) {
            message.end = end;
        }
    }

    /// Whatever comes next does not belong to the last message for certain.
    fn give_up(&mut self) {
        self.incomplete();
        self.is_open = false;
    }

    fn incomplete(&mut self) {
        if let Some((parser, start)) = self.parser.take()
            && !parser.is_blank()
        {
            self.push(start, self.previous_end, None);
        }
    }
}

/// The first line that is not blank, made fit for a terminal.
fn shown_line(bytes: &[u8]) -> String {
    let from = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(0);
    let line = bytes[from..].split(|&byte| byte == b'\n').next().unwrap_or(&[]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let shown: String = String::from_utf8_lossy(line)
        .chars()
        .map(|letter| if letter.is_control() { '.' } else { letter })
        .collect();
    match shown.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}...", &shown[..end]),
        None => shown,
    }
}

/// Gives every message its rule, and every response the request that it answers: in order, interim responses aside, and
/// no request that the response's sender had not acknowledged. `acknowledged` tells how far that was at a position.
pub(super) fn pair(
    requests: &mut [Message],
    responses: &mut [Message],
    answers: &Stream,
    acknowledged: impl Fn(Position) -> Option<Position>,
) {
    for request in requests.iter_mut() {
        request.rule = request.block.map(|block| Rule::of(&block, Method::Other));
    }
    let mut next = 0;
    for response in responses {
        let known = acknowledged(response.start);
        let request = requests
            .get(next)
            .filter(|request| known.is_none_or(|known| request.start < known));
        if let Some(request) = request {
            response.about.clone_from(&request.about);
        }
        let asked = request.map_or(Method::Other, Message::method);
        response.rule = response
            .block
            .map(|block| rule_as_labelled(&block, asked, response, answers));
        if request.is_some() && !response.is_interim() {
            next += 1;
        }
    }
}

/// The rule by which the trimmer framed a response: the labels behind the header block show whether it saw it as an
/// answer with a body.
fn rule_as_labelled(block: &HeaderBlock, asked: Method, response: &Message, answers: &Stream) -> Rule {
    let rule = Rule::of(block, asked);
    let behind = answers
        .stretch_at(response.header_end)
        .map(|index| answers.stretches[index].label);
    let is_content = matches!(behind, Some(Label::Body | Label::BodyKept | Label::Framing));
    match behind {
        Some(Label::Header | Label::Redacted) if rule.has_body() && !response.is_chunked() => Rule::NextMessageFollows,
        Some(_) if is_content && !rule.has_body() => Rule::of(block, Method::Other),
        _ => rule,
    }
}
