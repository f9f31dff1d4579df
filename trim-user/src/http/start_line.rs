//! Recognises the first line of a message: request line, status line, or the HTTP/0.9 request line.
//!
//! The grammar is that of RFC 9112 sections 3 and 4 with the leniences of sections 2.2 and 3: a bare LF ends the line,
//! any run of spaces and tabs separates its parts, blank lines may stand before it, and a status line may lack its
//! reason phrase. The request target may be anything, spaces included, as real clients send them.

use memchr::{memchr, memchr3};

/// What a request method means for the framing of the answer (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `HEAD`: the answer has no body.
    Head,
    /// `CONNECT` in any case: a 2xx answer turns the connection into a tunnel.
    Connect,
    /// `head` in another case than upper: some servers treat it as HEAD, others as an unknown method.
    HeadLike,
    /// Any other method.
    Other,
}

impl Method {
    fn of(token: &[u8]) -> Self {
        if token == b"HEAD" {
            Self::Head
        } else if token.eq_ignore_ascii_case(b"HEAD") {
            Self::HeadLike
        } else if token.eq_ignore_ascii_case(b"CONNECT") {
            Self::Connect
        } else {
            Self::Other
        }
    }
}

/// A complete start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine {
    /// `METHOD target HTTP/x.y`
    Request {
        /// Kind of method.
        method: Method,
    },
    /// `GET target`, the whole of an HTTP/0.9 request.
    Simple,
    /// `HTTP/x.y status [reason]`
    Response {
        /// Three digits, 0..=999.
        status: u16,
    },
}

/// Which kind of start line is acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Either kind: the role of this direction is not known yet.
    Any,
    /// Request lines.
    Request,
    /// Status lines.
    Response,
}

/// Whether some bytes are what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// They are not, whatever follows.
    No,
    /// They are a proper prefix of it.
    NeedMore,
    /// They are.
    Yes,
}

/// Result of feeding a [`StartLineParser`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineStep {
    /// All bytes were taken and the line goes on.
    More,
    /// The line ended: the first `consumed` bytes were part of it (or of blank lines before it).
    Done {
        /// Bytes taken, the final LF included.
        consumed: usize,
        /// What the line says.
        line: StartLine,
    },
    /// Not a start line; the byte at `at` shows it.
    NotAMessage {
        /// Offset of that byte.
        at: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In front of the line, blank lines are skipped.
    Begin,
    /// CR of a blank line.
    BlankCr,
    /// This many bytes of `HTTP/` matched, as the beginning of a status line or of a method.
    Protocol(u8),
    /// Inside the method.
    Method,
    /// Blanks behind the method.
    BehindMethod,
    /// First word of the target.
    FirstWord,
    /// Later in the target, not at a place where the version could stand.
    Target,
    /// Behind a blank in the target, this many bytes of `HTTP/x.y` matched.
    Version(u8),
    /// Right behind a complete version.
    VersionEnd,
    /// Blanks behind a complete version.
    BehindVersion,
    /// CR behind a complete version.
    VersionCr,
    /// Blanks behind the first word: an HTTP/0.9 line may end here.
    BehindFirstWord,
    /// CR behind the first word.
    FirstWordCr,
    /// Behind `HTTP/`: this many bytes of `x.y` matched.
    StatusVersion(u8),
    /// Blanks in front of the status code.
    BehindStatusVersion,
    /// This many digits of the status code seen.
    Status(u8),
    /// Reason phrase.
    Reason,
    /// CR right behind the status code.
    StatusCr,
}

/// Resumable recogniser of one start line and of the blank lines in front of it.
#[derive(Clone, Debug)]
pub struct StartLineParser {
    state: State,
    expected: Expected,
    simple_allowed: bool,
    method: [u8; 7],
    method_length: u8,
    status: u16,
    word: [u8; 9],
    word_length: u8,
}

impl StartLineParser {
    /// A parser at the beginning of a message. `simple_allowed` admits the HTTP/0.9 request line.
    pub fn new(expected: Expected, simple_allowed: bool) -> Self {
        Self {
            state: State::Begin,
            expected,
            simple_allowed,
            method: [0; 7],
            method_length: 0,
            status: 0,
            word: [0; 9],
            word_length: 0,
        }
    }

    /// Whether nothing but blank lines was seen.
    pub fn is_blank(&self) -> bool {
        matches!(self.state, State::Begin | State::BlankCr)
    }

    /// Whether what was seen looks like HTTP although the line is not complete: a usual method and a blank, or `HTTP/`
    /// and a version.
    pub fn is_plausible(&self) -> bool {
        match self.state {
            State::StatusVersion(seen) => seen >= 3,
            State::BehindStatusVersion | State::Status(_) | State::Reason | State::StatusCr => true,
            State::Begin | State::BlankCr | State::Protocol(_) | State::Method => false,
            _ => self.usual_method(),
        }
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) -> LineStep {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let rest = bytes.get(at..).unwrap_or_default();
            let skipped = match self.state {
                State::Target => memchr3(b' ', b'\t', b'\n', rest).unwrap_or(rest.len()),
                State::Reason => memchr(b'\n', rest).unwrap_or(rest.len()),
                _ => 0,
            };
            if skipped > 0 {
                at += skipped;
                continue;
            }
            match self.step(byte) {
                Next::Go(state) => self.state = state,
                Next::Done(line) => return LineStep::Done { consumed: at + 1, line },
                Next::Fail => return LineStep::NotAMessage { at },
            }
            at += 1;
        }
        LineStep::More
    }

    fn step(&mut self, byte: u8) -> Next {
        match self.state {
            State::Begin => self.begin(byte),
            State::BlankCr => Next::go_if(byte == b'\n', State::Begin),
            State::Protocol(matched) => self.protocol(matched, byte),
            State::Method => self.method(byte),
            State::BehindMethod => self.behind_method(byte),
            State::FirstWord | State::BehindFirstWord | State::FirstWordCr => self.first_word(byte),
            State::Target | State::Version(_) | State::VersionEnd | State::BehindVersion | State::VersionCr => {
                self.target(byte)
            }
            State::StatusVersion(_) | State::BehindStatusVersion | State::Status(_) => self.status(byte),
            State::Reason if byte != b'\n' => Next::Go(State::Reason),
            State::Reason | State::StatusCr => self.response_end(byte),
        }
    }

    fn begin(&mut self, byte: u8) -> Next {
        match byte {
            b'\n' => Next::Go(State::Begin),
            b'\r' => Next::Go(State::BlankCr),
            b'H' | b'h' if self.expected != Expected::Request => {
                self.push_method(byte);
                Next::Go(State::Protocol(1))
            }
            _ if self.expected == Expected::Response => Next::Fail,
            _ => self.method(byte),
        }
    }

    fn protocol(&mut self, matched: u8, byte: u8) -> Next {
        if b"HTTP/".get(usize::from(matched)) == Some(&byte.to_ascii_uppercase()) {
            if matched == 4 {
                return Next::Go(State::StatusVersion(0));
            }
            self.push_method(byte);
            return Next::Go(State::Protocol(matched + 1));
        }
        if self.expected == Expected::Response {
            return Next::Fail;
        }
        self.method(byte)
    }

    fn method(&mut self, byte: u8) -> Next {
        if is_token(byte) {
            self.push_method(byte);
            return Next::Go(State::Method);
        }
        Next::go_if(self.method_length > 0 && is_blank(byte), State::BehindMethod)
    }

    fn push_method(&mut self, byte: u8) {
        // Lengths beyond the buffer only have to differ from every length that matters.
        if let Some(slot) = self.method.get_mut(usize::from(self.method_length)) {
            *slot = byte;
        }
        self.method_length = self.method_length.saturating_add(1);
    }

    fn method_token(&self) -> &[u8] {
        self.method.get(..usize::from(self.method_length)).unwrap_or_default()
    }

    fn usual_method(&self) -> bool {
        const USUAL: [&[u8]; 9] = [
            b"GET", b"POST", b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"CONNECT", b"TRACE", b"PATCH",
        ];
        let token = self.method_token();
        USUAL.iter().any(|usual| usual.eq_ignore_ascii_case(token))
    }

    fn behind_method(&mut self, byte: u8) -> Next {
        match byte {
            b' ' | b'\t' => Next::Go(State::BehindMethod),
            b'\r' | b'\n' | 0x0b | 0x0c => Next::Fail,
            _ => {
                self.push_word(byte);
                let simple = self.simple_allowed && self.method_token() == b"GET";
                Next::Go(if simple { State::FirstWord } else { State::Target })
            }
        }
    }

    fn push_word(&mut self, byte: u8) {
        if let Some(slot) = self.word.get_mut(usize::from(self.word_length)) {
            *slot = byte;
        }
        self.word_length = self.word_length.saturating_add(1);
    }

    /// The first word of the target while the line may still turn out to be an HTTP/0.9 request.
    fn first_word(&mut self, byte: u8) -> Next {
        match (self.state, byte) {
            (_, b'\n') => match self.is_simple_target() {
                true => Next::Done(StartLine::Simple),
                false => Next::Fail,
            },
            (State::FirstWord | State::BehindFirstWord, b'\r') => Next::Go(State::FirstWordCr),
            (State::FirstWord | State::BehindFirstWord, b' ' | b'\t') => Next::Go(State::BehindFirstWord),
            (State::FirstWord, _) => {
                self.push_word(byte);
                Next::Go(State::FirstWord)
            }
            (State::BehindFirstWord, _) => {
                self.state = State::Version(0);
                self.target(byte)
            }
            _ if is_blank(byte) => Next::Go(State::Version(0)),
            _ => Next::Go(State::Target),
        }
    }

    fn is_simple_target(&self) -> bool {
        let stored = usize::from(self.word_length).min(self.word.len());
        let word = self.word.get(..stored).unwrap_or_default();
        let absolute = |scheme: &[u8]| word.starts_with(scheme) && usize::from(self.word_length) > scheme.len();
        word.starts_with(b"/") || absolute(b"http://") || absolute(b"https://")
    }

    /// The target behind its first byte, which ends with the last `HTTP/x.y` on the line.
    fn target(&mut self, byte: u8) -> Next {
        match (self.state, byte) {
            (State::VersionEnd | State::BehindVersion | State::VersionCr, b'\n') => Next::Done(StartLine::Request {
                method: Method::of(self.method_token()),
            }),
            (_, b'\n') => Next::Fail,
            (State::VersionEnd | State::BehindVersion, b'\r') => Next::Go(State::VersionCr),
            (State::VersionEnd | State::BehindVersion, b' ' | b'\t') => Next::Go(State::BehindVersion),
            (_, b' ' | b'\t') => Next::Go(State::Version(0)),
            (State::BehindVersion, b'H' | b'h') => Next::Go(State::Version(1)),
            (State::Version(7), b'0'..=b'9') => Next::Go(State::VersionEnd),
            (State::Version(matched), _) if request_version_matches(matched, byte) => {
                Next::Go(State::Version(matched + 1))
            }
            _ => Next::Go(State::Target),
        }
    }

    /// Behind `HTTP/` at the beginning of the line.
    fn status(&mut self, byte: u8) -> Next {
        match (self.state, byte) {
            (State::StatusVersion(0), b'0' | b'1') => Next::Go(State::StatusVersion(1)),
            (State::StatusVersion(1), b'.') => Next::Go(State::StatusVersion(2)),
            (State::StatusVersion(2), b'0'..=b'9') => Next::Go(State::StatusVersion(3)),
            (State::StatusVersion(3) | State::BehindStatusVersion, b' ' | b'\t') => {
                Next::Go(State::BehindStatusVersion)
            }
            (State::BehindStatusVersion, b'0'..=b'9') => self.status_digit(0, byte),
            (State::Status(seen @ 1..=2), b'0'..=b'9') => self.status_digit(seen, byte),
            (State::Status(3), b' ' | b'\t') => Next::Go(State::Reason),
            (State::Status(3), b'\r') => Next::Go(State::StatusCr),
            (State::Status(3), _) => self.response_end(byte),
            _ => Next::Fail,
        }
    }

    fn status_digit(&mut self, seen: u8, byte: u8) -> Next {
        self.status = self.status * 10 + u16::from(byte - b'0');
        Next::Go(State::Status(seen + 1))
    }

    fn response_end(&mut self, byte: u8) -> Next {
        match byte {
            b'\n' => Next::Done(StartLine::Response { status: self.status }),
            _ => Next::Fail,
        }
    }
}

enum Next {
    Go(State),
    Done(StartLine),
    Fail,
}

impl Next {
    fn go_if(condition: bool, state: State) -> Self {
        if condition { Self::Go(state) } else { Self::Fail }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `tchar` of RFC 9110 section 5.6.2.
const fn is_token(byte: u8) -> bool {
    matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
}

fn request_version_matches(matched: u8, byte: u8) -> bool {
    match matched {
        5 => matches!(byte, b'0' | b'1'),
        _ => b"HTTP/_.".get(usize::from(matched)) == Some(&byte.to_ascii_uppercase()),
    }
}

/// Whether a status line stands at the beginning of `bytes`, judged by as much of it as tells it from anything else:
/// `HTTP/x.y`, a blank, three digits and the byte behind them.
pub fn recognise_status_line(bytes: &[u8]) -> Recognition {
    if bytes.first().is_some_and(|first| matches!(first, b'\r' | b'\n')) {
        return Recognition::No;
    }
    let mut parser = StartLineParser::new(Expected::Response, false);
    match parser.feed(bytes) {
        LineStep::Done { .. } => Recognition::Yes,
        LineStep::NotAMessage { .. } => Recognition::No,
        LineStep::More if parser.state == State::Reason => Recognition::Yes,
        LineStep::More => Recognition::NeedMore,
    }
}

/// Whether a complete start line of the expected kind stands at the beginning of `bytes`, blank lines aside.
pub fn recognise_message(bytes: &[u8], expected: Expected) -> Recognition {
    match StartLineParser::new(expected, false).feed(bytes) {
        LineStep::Done { .. } => Recognition::Yes,
        LineStep::NotAMessage { .. } => Recognition::No,
        LineStep::More => Recognition::NeedMore,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(line: &[u8], simple: bool) -> Option<StartLine> {
        match StartLineParser::new(Expected::Any, simple).feed(line) {
            LineStep::Done { consumed, line: start } if consumed == line.len() => Some(start),
            _ => None,
        }
    }

    fn request(method: Method) -> Option<StartLine> {
        Some(StartLine::Request { method })
    }

    #[test]
    fn request_lines_are_recognised_with_the_usual_leniences() {
        for line in [
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.0\n",
            "\r\n\n\r\nGET / HTTP/1.1\r\n",
            "M-SEARCH * HTTP/1.1\r\n",
            "get \t /a b c  http/1.1 \t\r\n",
            "GET /HTTP/1.1 HTTP/1.1\r\n",
            "GET HTTP/1.1 HTTP/1.1\r\n",
            "GET / HTTP/1.0 HTTP/1.1\r\n",
            "GET / HTTP/1.1x HTTP/1.1\r\n",
            "HTTPGET / HTTP/1.1\r\n",
            "GET /a\rb HTTP/1.1\r\n",
        ] {
            assert_eq!(whole(line.as_bytes(), true), request(Method::Other), "{line:?}");
        }
        assert_eq!(whole(b"HEAD / HTTP/1.1\r\n", true), request(Method::Head));
        assert_eq!(whole(b"head / HTTP/1.1\r\n", true), request(Method::HeadLike));
        assert_eq!(whole(b"Connect a:1 HTTP/1.1\r\n", true), request(Method::Connect));
        assert_eq!(whole(b"CONNECTS a:1 HTTP/1.1\r\n", true), request(Method::Other));
    }

    #[test]
    fn other_lines_are_not_requests() {
        for line in [
            "GET HTTP/1.1\r\n",
            "GET / HTTP/2.0\r\n",
            "GET / HTTP/1.1x\r\n",
            "GET / HTTP/1.1 x\r\n",
            "GET / HTTP/1.12\r\n",
            "GET /HTTP/1.1\r\n",
            " GET / HTTP/1.1\r\n",
            "G(T / HTTP/1.1\r\n",
            "\rGET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\r\n",
            "GET\r\n",
        ] {
            assert_eq!(whole(line.as_bytes(), false), None, "{line:?}");
        }
    }

    #[test]
    fn status_lines_are_recognised_with_and_without_a_reason() {
        for line in [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200\r\n",
            "HTTP/1.0 200\n",
            "http/1.1\t 200 \r\n",
            "HTTP/1.1 200 a\rb\n",
        ] {
            let expected = Some(StartLine::Response { status: 200 });
            assert_eq!(whole(line.as_bytes(), true), expected, "{line:?}");
        }
        for line in [
            "HTTP/2 200\r\n",
            "HTTP/1.1 20\r\n",
            "HTTP/1.1 2000\r\n",
            "HTTP/1.1200 OK\r\n",
            "HTTP/1.1 200\rx\n",
        ] {
            assert_eq!(whole(line.as_bytes(), true), None, "{line:?}");
        }
    }

    #[test]
    fn a_simple_request_needs_permission_and_a_path() {
        for line in [
            "GET /\r\n",
            "GET  /index.html \n",
            "GET http://a/\r\n",
            "GET https://a\n",
        ] {
            assert_eq!(whole(line.as_bytes(), true), Some(StartLine::Simple), "{line:?}");
            assert_eq!(whole(line.as_bytes(), false), None, "{line:?}");
        }
        for line in [
            "get /\r\n",
            "GET index\r\n",
            "GET /a b\r\n",
            "GET http://\r\n",
            "PUT /\r\n",
            "GET /a\rb\n",
        ] {
            assert_eq!(whole(line.as_bytes(), true), None, "{line:?}");
        }
    }

    #[test]
    fn a_role_admits_only_its_own_kind_of_line() {
        assert_eq!(
            recognise_message(b"HTTP/1.1 200 OK\r\n", Expected::Request),
            Recognition::No
        );
        assert_eq!(
            recognise_message(b"GET / HTTP/1.1\r\n", Expected::Response),
            Recognition::No
        );
        assert_eq!(recognise_message(b"HTT", Expected::Request), Recognition::NeedMore);
        assert_eq!(recognise_message(b"HTTX", Expected::Response), Recognition::No);
    }

    #[test]
    fn the_answer_does_not_depend_on_how_the_line_is_split() {
        for line in [
            &b"\r\nGET /a b HTTP/1.1 \r\n"[..],
            b"HTTP/1.1 404 Not Found\r\n",
            b"GET /simple\r\n",
            b"GET / HTTP/1.1x\r\n",
        ] {
            let mut at_once = StartLineParser::new(Expected::Any, true);
            let expected = at_once.feed(line);
            for cut in 1..line.len() {
                let mut parser = StartLineParser::new(Expected::Any, true);
                let (first, second) = line.split_at(cut);
                assert_eq!(parser.feed(first), LineStep::More);
                let step = match parser.feed(second) {
                    LineStep::Done { consumed, line } => LineStep::Done {
                        consumed: consumed + cut,
                        line,
                    },
                    LineStep::NotAMessage { at } => LineStep::NotAMessage { at: at + cut },
                    LineStep::More => LineStep::More,
                };
                assert_eq!(step, expected, "cut at {cut}");
            }
        }
    }

    #[test]
    fn a_status_line_is_recognised_by_its_first_thirteen_bytes() {
        let line = b"HTTP/1.1 200 OK\r\n";
        for length in 0..13 {
            assert_eq!(
                recognise_status_line(&line[..length]),
                Recognition::NeedMore,
                "{length}"
            );
        }
        assert_eq!(recognise_status_line(&line[..13]), Recognition::Yes);
        assert_eq!(recognise_status_line(b"HTTP/1.1 2x"), Recognition::No);
        assert_eq!(recognise_status_line(b"\r\nHTTP/1.1 200 OK\r\n"), Recognition::No);
        assert_eq!(recognise_status_line(b"HTTP/1.1 200\r\n"), Recognition::Yes);
    }
}
