//! What a generated connection is made of. A recipe with its seed is the whole test case.

use super::rng::Rng;

/// One ingredient. Leaving an ingredient out makes a simpler connection, which is how failures shrink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Quirk {
    // What is said.
    /// Requests are sent before their predecessors are answered.
    Pipelining,
    /// Chunked bodies, with extensions and trailers.
    Chunked,
    /// HEAD, 204 and 304.
    NoContent,
    /// 1xx answers, `Expect: 100-continue`.
    Interim,
    /// CONNECT and Upgrade, granted and refused.
    Switch,
    /// Answers without a length.
    UntilClose,
    /// Framing fields that take care to read: repeated, with leading zeros, Transfer-Encoding with Content-Length.
    Ambiguous,
    /// Framing that a recipient must reject.
    Malformed,
    /// Bare line feeds, folded fields, blank lines, lines without a colon.
    Lines,
    /// Unknown methods, odd reason phrases.
    OddMethods,
    /// HTTP/0.9.
    Simple,
    /// Content that looks like messages.
    Lookalike,
    /// Large bodies, long fields.
    Large,
    /// Another protocol.
    Foreign,
    /// An answer to no request.
    Unsolicited,
    /// Fields that may be redacted.
    Secrets,
    /// Many messages on one connection.
    ManyMessages,
    // How it travels.
    /// Segments of a few bytes.
    Tiny,
    /// Both sides speak at once.
    Interleave,
    /// Segments out of order.
    Reorder,
    /// Retransmission, cut anew.
    Retransmit,
    /// Segments once more, long after.
    LateDuplicates,
    /// Copies with other content.
    Conflict,
    /// Segments that were not captured.
    Loss,
    /// Sequence numbers that wrap.
    Wrap,
    /// Keep-alive and zero-window probes.
    Probes,
    /// Data in the SYN.
    FastOpen,
    /// A RST with data ends the connection.
    Reset,
    /// A second connection between the same ports.
    PortReuse,
    /// The capture begins in the middle.
    MidStream,
    /// Only one direction was captured.
    OneSided,
    /// Packets are cut short by a snaplen.
    Snaplen,
    /// An answer stands in front of its request.
    EarlyAnswer,
}

impl Quirk {
    /// All of them.
    pub const ALL: [Self; 33] = [
        Self::Pipelining,
        Self::Chunked,
        Self::NoContent,
        Self::Interim,
        Self::Switch,
        Self::UntilClose,
        Self::Ambiguous,
        Self::Malformed,
        Self::Lines,
        Self::OddMethods,
        Self::Simple,
        Self::Lookalike,
        Self::Large,
        Self::Foreign,
        Self::Unsolicited,
        Self::Secrets,
        Self::ManyMessages,
        Self::Tiny,
        Self::Interleave,
        Self::Reorder,
        Self::Retransmit,
        Self::LateDuplicates,
        Self::Conflict,
        Self::Loss,
        Self::Wrap,
        Self::Probes,
        Self::FastOpen,
        Self::Reset,
        Self::PortReuse,
        Self::MidStream,
        Self::OneSided,
        Self::Snaplen,
        Self::EarlyAnswer,
    ];

    /// Percent of recipes that have it.
    fn frequency(self) -> usize {
        match self {
            Self::Foreign | Self::Simple => 3,
            Self::Malformed | Self::Reset | Self::PortReuse | Self::Unsolicited | Self::ManyMessages => 8,
            Self::MidStream | Self::OneSided | Self::Snaplen | Self::Loss | Self::Conflict => 10,
            Self::Large | Self::Tiny | Self::EarlyAnswer | Self::Wrap | Self::FastOpen => 12,
            Self::Switch | Self::Ambiguous | Self::OddMethods | Self::Probes | Self::LateDuplicates => 20,
            Self::Reorder | Self::Retransmit | Self::Lookalike | Self::Lines | Self::Secrets => 25,
            Self::Interim | Self::UntilClose | Self::Interleave => 30,
            Self::Pipelining | Self::Chunked | Self::NoContent => 50,
        }
    }

    /// Ingredients that leave out bytes, so that some truth cannot be known from the capture.
    pub const HIDING: [Self; 4] = [Self::Loss, Self::MidStream, Self::OneSided, Self::Snaplen];
}

/// A set of ingredients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks(pub u64);

impl Quirks {
    /// Whether `quirk` is in the set.
    pub fn has(self, quirk: Quirk) -> bool {
        self.0 >> quirk as u32 & 1 == 1
    }

    /// Whether any of `quirks` is.
    pub fn has_any(self, quirks: &[Quirk]) -> bool {
        quirks.iter().any(|&quirk| self.has(quirk))
    }

    /// The set with `quirk`.
    #[must_use]
    pub fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | 1 << quirk as u32)
    }

    /// The set without `quirk`.
    #[must_use]
    pub fn without(self, quirk: Quirk) -> Self {
        Self(self.0 & !(1 << quirk as u32))
    }

    /// The members.
    pub fn names(self) -> Vec<Quirk> {
        Quirk::ALL.into_iter().filter(|&quirk| self.has(quirk)).collect()
    }
}

/// A test case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    /// Decides everything that the ingredients leave open.
    pub seed: u64,
    /// Requests and answers, at least 1.
    pub exchanges: u32,
    /// The ingredients.
    pub quirks: Quirks,
}

impl std::fmt::Debug for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seed,
            exchanges,
            quirks,
        } = self;
        write!(
            f,
            "Recipe {{ seed: {seed:#x}, exchanges: {exchanges}, quirks: {:?} }}",
            quirks.names()
        )
    }
}

impl Recipe {
    /// Reads the debug form.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once("seed: 0x")?;
        let (seed, rest) = rest.split_once(", exchanges: ")?;
        let (exchanges, rest) = rest.split_once(", quirks: [")?;
        let (names, _) = rest.split_once(']')?;
        let mut quirks = Quirks::default();
        for name in names.split(", ").filter(|name| !name.is_empty()) {
            let quirk = Quirk::ALL.into_iter().find(|quirk| format!("{quirk:?}") == name)?;
            quirks = quirks.with(quirk);
        }
        Some(Self {
            seed: u64::from_str_radix(seed, 16).ok()?,
            exchanges: exchanges.parse().ok()?,
            quirks,
        })
    }

    /// The recipe of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut quirks = Quirks::default();
        for quirk in Quirk::ALL {
            if rng.chance(quirk.frequency()) {
                quirks = quirks.with(quirk);
            }
        }
        Self {
            seed,
            exchanges: rng.between(1, 6) as u32,
            quirks,
        }
    }

    /// The recipe without some ingredients.
    #[must_use]
    pub fn without(self, quirks: &[Quirk]) -> Self {
        let quirks = quirks.iter().fold(self.quirks, |set, &quirk| set.without(quirk));
        Self { quirks, ..self }
    }

    /// Simpler recipes, one step away.
    pub fn simpler(self) -> Vec<Self> {
        let mut all: Vec<_> = self
            .quirks
            .names()
            .into_iter()
            .map(|quirk| self.without(&[quirk]))
            .collect();
        if self.exchanges > 1 {
            all.extend([1, self.exchanges / 2, self.exchanges - 1].map(|exchanges| Self {
                exchanges: exchanges.max(1),
                ..self
            }));
        }
        all
    }
}
