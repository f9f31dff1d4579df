//! A byte stream that carries its truth.

/// What a byte is, by construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Truth {
    /// Header block.
    Header,
    /// In a header block: the value of one of [`SECRET_FIELDS`].
    Secret,
    /// In a header block: white space around or inside such a value.
    SecretSpace,
    /// Blank line in front of a start line.
    Blank,
    /// Trailer section.
    Trailer,
    /// Chunk-size line, or the line end behind chunk data.
    Framing,
    /// Content.
    Body,
    /// Behind an accepted CONNECT or Upgrade.
    Opaque,
    /// Behind framing that a recipient must reject.
    Unsure,
    /// Not HTTP at all.
    Foreign,
    /// Sent ahead into a tunnel that was never granted, or HTTP inside another protocol: anything goes.
    Inside,
}

impl Truth {
    /// Bytes that no trimmer may take away.
    pub fn is_precious(self) -> bool {
        matches!(self, Self::Header | Self::Secret | Self::SecretSpace | Self::Trailer)
    }
}

/// Fields whose values [`Truth::Secret`] marks.
pub const SECRET_FIELDS: [&str; 3] = ["authorization", "cookie", "set-cookie"];

/// One message in a stream.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// Where its blank lines begin.
    pub lead: usize,
    /// First byte of the start line.
    pub start: usize,
    /// Behind the start line.
    pub start_line_end: usize,
    /// Behind the empty line.
    pub header_end: usize,
    /// Behind the last byte.
    pub end: usize,
    /// The content has something in it that looks like a message.
    pub lookalike: bool,
    /// For an answer: index of its request.
    pub request: Option<usize>,
    /// An answer to HEAD: its header block announces content that is not there.
    pub answers_head: bool,
    /// A request whose answer may change what follows: HEAD, CONNECT.
    pub decides_answer: bool,
    /// A request after whose answer the connection may leave HTTP: CONNECT, Upgrade.
    pub asks_for_switch: bool,
}

/// The bytes of one direction, each with its truth.
#[derive(Clone, Debug, Default)]
pub struct Labelled {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What each of them is.
    pub truth: Vec<Truth>,
    /// For body bytes: how many content bytes of the message stand in front.
    pub content_offset: Vec<u32>,
    /// The messages in order.
    pub messages: Vec<Message>,
}

impl Labelled {
    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends bytes of one kind.
    pub fn push(&mut self, bytes: impl AsRef<[u8]>, truth: Truth) {
        self.push_content(bytes.as_ref(), truth, 0);
    }

    /// Appends bytes of one kind, `offset` content bytes into their message.
    pub fn push_content(&mut self, bytes: &[u8], truth: Truth, offset: usize) {
        self.bytes.extend_from_slice(bytes);
        self.truth.resize(self.bytes.len(), truth);
        self.content_offset
            .extend((0..bytes.len()).map(|index| (offset + index) as u32));
    }
}
