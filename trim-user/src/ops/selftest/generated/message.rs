//! Requests and responses, written byte by byte with their truth.

use super::content::{Content, content};
use super::labelled::{Labelled, Message, Truth};
use super::recipe::{Quirk, Quirks};
use super::rng::Rng;

/// How the content of a message is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// No content and no field about it.
    Nothing,
    /// Content-Length.
    Length,
    /// Chunks.
    Chunked,
    /// The end of the connection.
    Close,
    /// Fields about content that is not there (answers to HEAD, 204, 304).
    FieldsOnly,
    /// Fields that a recipient must reject.
    Rejected,
}

/// What is to be written.
pub(super) struct Plan {
    /// The start line without its line end.
    pub(super) start_line: String,
    pub(super) is_request: bool,
    pub(super) delimiter: Delimiter,
    /// More fields, name and value.
    pub(super) fields: Vec<(String, String)>,
    pub(super) longest_content: usize,
    /// May be followed by another message on the same connection.
    pub(super) allow_faulty: bool,
}

/// Writes messages to one direction.
pub(super) struct Writer<'w> {
    pub(super) out: &'w mut Labelled,
    pub(super) rng: &'w mut Rng,
    pub(super) quirks: Quirks,
    bare_line_feeds: bool,
}

impl<'w> Writer<'w> {
    pub(super) fn new(out: &'w mut Labelled, rng: &'w mut Rng, quirks: Quirks) -> Self {
        let bare_line_feeds = quirks.has(Quirk::Lines) && rng.chance(25);
        Self {
            out,
            rng,
            quirks,
            bare_line_feeds,
        }
    }

    fn lines(&mut self, percent: usize) -> bool {
        self.quirks.has(Quirk::Lines) && self.rng.chance(percent)
    }

    fn line_end(&mut self) -> &'static str {
        if self.bare_line_feeds || self.lines(5) {
            "\n"
        } else {
            "\r\n"
        }
    }

    /// Writes a message. Whether the direction's framing is lost behind it.
    pub(super) fn message(&mut self, plan: &Plan) -> bool {
        let mut message = Message {
            lead: self.out.len(),
            ..Message::default()
        };
        if self.lines(if plan.is_request { 15 } else { 4 }) {
            let blank = self.rng.pick(&["\r\n", "\n", "\r\n\r\n"]);
            self.out.push(blank, Truth::Blank);
        }
        message.start = self.out.len();
        let end = self.line_end();
        self.out.push(format!("{}{end}", plan.start_line), Truth::Header);
        message.start_line_end = self.out.len();
        let mut content = self.plan_content(plan);
        let coded = self.framing_fields(plan, &mut content);
        self.other_fields(plan);
        let end = self.line_end();
        self.out.push(end, Truth::Header);
        message.header_end = self.out.len();
        message.lookalike = content.lookalike;
        let mut lost = plan.delimiter == Delimiter::Rejected;
        match plan.delimiter {
            Delimiter::Length | Delimiter::Close => self.out.push_content(&content.bytes, Truth::Body, 0),
            Delimiter::Chunked => lost |= self.chunks(&content.bytes, coded, plan.allow_faulty),
            Delimiter::Rejected => self.out.push(&content.bytes, Truth::Unsure),
            Delimiter::Nothing | Delimiter::FieldsOnly => {}
        }
        message.end = self.out.len();
        self.out.messages.push(message);
        lost
    }

    fn plan_content(&mut self, plan: &Plan) -> Content {
        match plan.delimiter {
            Delimiter::Nothing | Delimiter::FieldsOnly => Content {
                bytes: Vec::new(),
                lookalike: false,
            },
            _ => content(self.rng, self.quirks, plan.longest_content),
        }
    }

    /// Writes the fields that frame the content, between other fields. Whether the message is chunked.
    fn framing_fields(&mut self, plan: &Plan, content: &mut Content) -> bool {
        self.filler_fields();
        let length = content.bytes.len();
        match plan.delimiter {
            Delimiter::Nothing | Delimiter::Close => {}
            Delimiter::Length => self.length_field(length),
            Delimiter::Chunked => self.chunked_field(),
            Delimiter::Rejected => self.rejected_fields(plan.is_request),
            Delimiter::FieldsOnly => {
                if self.rng.chance(20) {
                    self.chunked_field();
                } else {
                    let announced = self.rng.skewed(100_000).max(1);
                    self.length_field(announced);
                }
            }
        }
        if plan.delimiter == Delimiter::Close
            && !plan.is_request
            && self.quirks.has(Quirk::Ambiguous)
            && self.rng.chance(30)
        {
            self.field("Transfer-Encoding", "gzip");
        }
        plan.delimiter == Delimiter::Chunked
    }

    fn length_field(&mut self, length: usize) {
        let ambiguous = self.quirks.has(Quirk::Ambiguous);
        if !ambiguous {
            return self.field("Content-Length", &length.to_string());
        }
        match self.rng.below(5) {
            0 => self.field("Content-Length", &format!("{length:0>12}")),
            1 => self.field("Content-Length", &format!("{length}, {length}")),
            2 => {
                self.field("Content-Length", &length.to_string());
                self.filler_fields();
                self.field("Content-Length", &length.to_string());
            }
            3 => {
                self.field("Transfer-Encoding", "identity");
                self.field("Content-Length", &length.to_string());
            }
            _ => self.field("Content-Length", &length.to_string()),
        }
    }

    fn chunked_field(&mut self) {
        let ambiguous = self.quirks.has(Quirk::Ambiguous);
        let choice = if ambiguous { self.rng.below(6) } else { 5 };
        match choice {
            0 => self.field("Transfer-Encoding", "gzip, chunked"),
            1 => {
                self.field("Transfer-Encoding", "gzip");
                self.field("Transfer-Encoding", "Chunked");
            }
            2 => {
                let wrong = self.rng.skewed(100_000).to_string();
                self.field("Content-Length", &wrong);
                self.field("Transfer-Encoding", "chunked");
            }
            3 => {
                self.field("Transfer-Encoding", "chunked");
                self.field("Content-Length", "3");
            }
            4 => self.field("Transfer-Encoding", " ,, CHUNKED"),
            _ => self.field("Transfer-Encoding", "chunked"),
        }
    }

    fn rejected_fields(&mut self, is_request: bool) {
        let lengths = ["-1", "5x", "+5", "0x10", "", "5, 6", "5 5", "1.0", "5,"];
        match self.rng.below(4) {
            0 => {
                self.field("Content-Length", "5");
                self.field("Content-Length", "6");
            }
            1 if is_request => self.field("Transfer-Encoding", "gzip"),
            2 if is_request => self.field("Transfer-Encoding", "chunked, gzip"),
            _ => {
                let length = self.rng.pick(&lengths);
                self.field("Content-Length", length);
            }
        }
    }

    fn other_fields(&mut self, plan: &Plan) {
        self.filler_fields();
        for (name, value) in &plan.fields {
            self.field(name, value);
        }
        if self.quirks.has(Quirk::Secrets) {
            for _ in 0..self.rng.below(3) {
                self.secret_field(plan.is_request);
            }
        }
        self.filler_fields();
    }

    fn filler_fields(&mut self) {
        let names = [
            "Host",
            "Accept",
            "Server",
            "Date",
            "X-A",
            "Via",
            "ETag",
            "Accept-Encoding",
            "X-Content-Length",
        ];
        for _ in 0..self.rng.below(3) {
            let name = self.rng.pick(&names);
            let longest = if self.quirks.has(Quirk::Large) && self.rng.chance(10) {
                9000
            } else {
                40
            };
            let length = self.rng.skewed(longest);
            let value: String = (0..length)
                .map(|_| char::from(self.rng.between(0x21, 0x7e) as u8))
                .collect();
            self.field(name, &value);
        }
        if self.lines(3) {
            let end = self.line_end();
            self.out.push(format!("this line has no colon{end}"), Truth::Header);
        }
    }

    fn odd_case(&mut self, name: &str) -> String {
        if !self.rng.chance(20) {
            return name.to_owned();
        }
        let upper = self.rng.word();
        let flip = |(index, letter): (usize, char)| {
            if upper >> (index % 64) & 1 == 1 {
                letter.to_ascii_uppercase()
            } else {
                letter.to_ascii_lowercase()
            }
        };
        name.chars().enumerate().map(flip).collect()
    }

    fn field(&mut self, name: &str, value: &str) {
        let name = self.odd_case(name);
        let before = if self.lines(3) { " " } else { "" };
        let after = self.rng.pick(&[" ", " ", " ", "", "\t", "  "]);
        let trailing = self.rng.pick(&["", "", "", " ", "\t "]);
        let fold = if self.lines(10) {
            format!("{}\t ", self.line_end())
        } else {
            String::new()
        };
        let end = self.line_end();
        let line = format!("{name}{before}:{after}{fold}{value}{trailing}{end}");
        self.out.push(line, Truth::Header);
    }

    fn secret_field(&mut self, is_request: bool) {
        let name = match is_request {
            true => self.rng.pick(&["Cookie", "Authorization"]),
            false => "Set-Cookie",
        };
        let name = self.odd_case(name);
        self.out.push(format!("{name}:"), Truth::Header);
        let space = self.rng.pick(&[" ", "", "\t"]);
        self.out.push(space, Truth::SecretSpace);
        let longest = if self.quirks.has(Quirk::Large) { 5000 } else { 60 };
        let length = self.rng.skewed(longest).max(1);
        let secret: String = (0..length)
            .map(|_| char::from(self.rng.between(0x21, 0x7e) as u8))
            .collect();
        self.out.push(&secret, Truth::Secret);
        if self.lines(20) {
            let end = self.line_end();
            self.out.push(end, Truth::SecretSpace);
            self.out.push(" ", Truth::SecretSpace);
            self.out.push("folded=secret", Truth::Secret);
        }
        if self.rng.chance(10) {
            self.out.push(" ", Truth::SecretSpace);
        }
        let end = self.line_end();
        self.out.push(end, Truth::Header);
    }

    /// Writes the content in chunks. Whether they are malformed.
    fn chunks(&mut self, content: &[u8], _coded: bool, allow_faulty: bool) -> bool {
        let faulty = allow_faulty && self.quirks.has(Quirk::Malformed) && self.rng.chance(50);
        let mut at = 0;
        let tiny = self.rng.chance(15) && content.len() < 400;
        while at < content.len() {
            let left = content.len() - at;
            let size = if tiny {
                self.rng.between(1, 3.min(left))
            } else {
                self.rng.skewed(left).clamp(1, left)
            };
            self.chunk_size_line(size);
            self.out.push_content(&content[at..at + size], Truth::Body, at);
            at += size;
            if faulty && self.rng.chance(30) {
                return self.faulty_chunk_end();
            }
            let end = if self.bare_line_feeds { "\n" } else { "\r\n" };
            self.out.push(end, Truth::Framing);
        }
        if faulty {
            return self.faulty_chunk_size();
        }
        let zeros = if self.quirks.has(Quirk::Ambiguous) {
            self.rng.pick(&["0", "0", "000"])
        } else {
            "0"
        };
        let extension = self.chunk_extension();
        let end = self.line_end();
        self.out.push(format!("{zeros}{extension}{end}"), Truth::Framing);
        self.trailers();
        false
    }

    fn chunk_extension(&mut self) -> &'static str {
        if self.rng.chance(15) {
            self.rng
                .pick(&[";a", ";a=b", "; name = \"quoted; text\"", " ;a=b;c=d", ";"])
        } else {
            ""
        }
    }

    fn chunk_size_line(&mut self, size: usize) {
        let size = match self.rng.below(4) {
            0 => format!("{size:X}"),
            1 if self.quirks.has(Quirk::Ambiguous) => format!("{size:0>20x}"),
            2 if self.quirks.has(Quirk::Lines) => format!("{size:x} "),
            _ => format!("{size:x}"),
        };
        let extension = self.chunk_extension();
        let end = if self.bare_line_feeds { "\n" } else { "\r\n" };
        self.out.push(format!("{size}{extension}{end}"), Truth::Framing);
    }

    fn faulty_chunk_end(&mut self) -> bool {
        self.out.push("XX\r\n0\r\n\r\nnobody knows what this is", Truth::Unsure);
        true
    }

    fn faulty_chunk_size(&mut self) -> bool {
        let size = self.rng.pick(&[
            "zz",
            "-1",
            "10000000000000000",
            "ffffffffffffffff",
            "0x5",
            "5 5",
            "",
            "8000000000000000",
        ]);
        self.out.push(
            format!("{size}\r\nnobody knows what this is\r\n0\r\n\r\n"),
            Truth::Unsure,
        );
        true
    }

    fn trailers(&mut self) {
        if self.rng.chance(20) {
            for _ in 0..self.rng.between(1, 3) {
                let value = self.rng.below(1000);
                let name = self.odd_case("X-Checksum");
                let end = self.line_end();
                self.out.push(format!("{name}: {value}{end}"), Truth::Trailer);
            }
        }
        let end = self.line_end();
        self.out.push(end, Truth::Trailer);
    }
}
