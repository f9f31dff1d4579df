//! What a generated connection is made of. A recipe with its seed is the whole test case.

use proptest::prelude::*;

use super::rng::Rng;

/// One ingredient. Leaving an ingredient out makes a simpler connection, which is how failures shrink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Quirk {
    // What is said.
    Pipelining,
    Chunked,
    NoContent,
    Interim,
    Switch,
    UntilClose,
    Ambiguous,
    Malformed,
    Lines,
    OddMethods,
    Simple,
    Lookalike,
    Large,
    Foreign,
    Unsolicited,
    Secrets,
    ManyMessages,
    // How it travels.
    Tiny,
    Interleave,
    Reorder,
    Retransmit,
    LateDuplicates,
    Conflict,
    Loss,
    Wrap,
    Probes,
    FastOpen,
    Reset,
    PortReuse,
    MidStream,
    OneSided,
    Snaplen,
    EarlyAnswer,
}

impl Quirk {
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
    pub fn has(self, quirk: Quirk) -> bool {
        self.0 >> quirk as u32 & 1 == 1
    }

    pub fn has_any(self, quirks: &[Quirk]) -> bool {
        quirks.iter().any(|&quirk| self.has(quirk))
    }

    #[must_use]
    pub fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | 1 << quirk as u32)
    }

    #[must_use]
    pub fn without(self, quirk: Quirk) -> Self {
        Self(self.0 & !(1 << quirk as u32))
    }

    pub fn names(self) -> Vec<Quirk> {
        Quirk::ALL.into_iter().filter(|&quirk| self.has(quirk)).collect()
    }
}

/// A test case.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipe {
    pub seed: u64,
    /// Requests and answers, at least 1.
    pub exchanges: u32,
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

/// Recipes for proptest; simpler ones have fewer ingredients and exchanges.
pub fn recipes() -> impl Strategy<Value = Recipe> {
    let mask = (1u64 << Quirk::ALL.len()) - 1;
    let sparse = (any::<u64>(), any::<u64>()).prop_map(move |(a, b)| a & b & mask);
    (any::<u64>(), 1..8u32, sparse).prop_map(|(seed, exchanges, quirks)| Recipe {
        seed,
        exchanges,
        quirks: Quirks(quirks),
    })
}
