//! A plain conversation: requests and answers that anybody frames the same way, with the truth of every byte.

use arbitrary::{Result, Unstructured};

/// What a byte is, by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// Header block.
    Header,
    /// Chunk-size line, or the line end behind chunk data.
    Framing,
    /// Trailer section.
    Trailer,
    /// Content.
    Body,
}

/// One direction's bytes.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What each of them is.
    pub truth: Vec<Truth>,
}

impl Stream {
    fn push(&mut self, bytes: impl AsRef<[u8]>, truth: Truth) {
        self.bytes.extend_from_slice(bytes.as_ref());
        self.truth.resize(self.bytes.len(), truth);
    }
}

/// What client and server say, and where each turn ends: request and answer by turns.
#[derive(Clone, Debug, Default)]
pub struct Conversation {
    /// Client and server.
    pub streams: [Stream; 2],
    /// Which side speaks, and up to which length of its stream.
    pub turns: Vec<(usize, usize)>,
}

impl Conversation {
    /// As many exchanges as the bytes say, none included.
    pub fn decode(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut conversation = Self::default();
        for _ in 0..u.int_in_range(0..=4_u8)? {
            let method = u.int_in_range(0..=5_u8)?;
            conversation.request(method, u)?;
            conversation.answer(method, u)?;
        }
        Ok(conversation)
    }

    fn turn(&mut self, side: usize) {
        self.turns.push((side, self.streams[side].bytes.len()));
    }

    fn request(&mut self, method: u8, u: &mut Unstructured<'_>) -> Result<()> {
        let stream = &mut self.streams[0];
        let name = ["GET", "GET", "HEAD", "POST", "POST", "OPTIONS"][usize::from(method)];
        stream.push(format!("{name} /{method} HTTP/1.1\r\nHost: a\r\n"), Truth::Header);
        extra_field(stream, u)?;
        match method {
            3 => sized(stream, u)?,
            4 => chunked(stream, u)?,
            _ => stream.push("\r\n", Truth::Header),
        }
        self.turn(0);
        Ok(())
    }

    fn answer(&mut self, method: u8, u: &mut Unstructured<'_>) -> Result<()> {
        let stream = &mut self.streams[1];
        let kind = u.int_in_range(0..=5_u8)?;
        if kind == 5 {
            stream.push("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", Truth::Header);
        }
        match (method, kind) {
            (2, _) => stream.push("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", Truth::Header),
            (_, 0) => stream.push("HTTP/1.1 204 No Content\r\n\r\n", Truth::Header),
            (_, 1) => stream.push("HTTP/1.1 304\r\nContent-Length: 77\r\n\r\n", Truth::Header),
            (_, 2) => {
                stream.push("HTTP/1.0 404 Not Found\nServer: b\n", Truth::Header);
                chunked(stream, u)?;
            }
            _ => {
                stream.push("HTTP/1.1 200 OK\r\n", Truth::Header);
                extra_field(stream, u)?;
                sized(stream, u)?;
            }
        }
        self.turn(1);
        Ok(())
    }
}

/// A field whose value is anything a line can hold.
fn extra_field(stream: &mut Stream, u: &mut Unstructured<'_>) -> Result<()> {
    let length = u.int_in_range(0..=40_u8)?;
    if length > 0 {
        let value: Vec<u8> = take(u, length.into()).iter().map(|byte| byte & 0x7f | 0x20).collect();
        stream.push("Cookie: ", Truth::Header);
        stream.push(value, Truth::Header);
        stream.push("\r\n", Truth::Header);
    }
    Ok(())
}

fn sized(stream: &mut Stream, u: &mut Unstructured<'_>) -> Result<()> {
    let body = content(u)?;
    stream.push(format!("Content-Length: {}\r\n\r\n", body.len()), Truth::Header);
    stream.push(body, Truth::Body);
    Ok(())
}

fn chunked(stream: &mut Stream, u: &mut Unstructured<'_>) -> Result<()> {
    stream.push("Transfer-Encoding: chunked\r\n\r\n", Truth::Header);
    for _ in 0..u.int_in_range(0..=3_u8)? {
        let data = content(u)?;
        if !data.is_empty() {
            stream.push(format!("{:x};a=b\r\n", data.len()), Truth::Framing);
            stream.push(data, Truth::Body);
            stream.push("\r\n", Truth::Framing);
        }
    }
    stream.push("0\r\n", Truth::Framing);
    if u.arbitrary()? {
        stream.push("Digest: c\r\n", Truth::Trailer);
    }
    stream.push("\r\n", Truth::Trailer);
    Ok(())
}

/// Content: a few bytes from the input, or many of one kind.
fn content(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    Ok(match u.int_in_range(0..=3_u8)? {
        0 => vec![b'b'; u.int_in_range(0..=6000_u16)?.into()],
        1 => b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nGET / HTTP/1.1\r\n\r\n0\r\n\r\n".to_vec(),
        _ => {
            let length = u.int_in_range(0..=60_u8)?;
            take(u, length.into()).to_vec()
        }
    })
}

/// The next bytes of the input, fewer at its end.
pub fn take<'d>(u: &mut Unstructured<'d>, length: usize) -> &'d [u8] {
    let length = length.min(u.len());
    u.bytes(length).unwrap_or_default()
}
