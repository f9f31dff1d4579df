//! Formats of capture files, as they are read and written.

use serde::Deserialize;

/// The format of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// pcap: one link type, no interface descriptions.
    Pcap,
    /// pcapng.
    Pcapng,
}

impl Format {
    /// The usual end of file names, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pcap => "pcap",
            Self::Pcapng => "pcapng",
        }
    }
}

/// How a capture file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip (RFC 1952); read with any number of members.
    Gzip,
    /// Zstandard (RFC 8878); read with any number of frames.
    Zstd,
}

impl Compression {
    /// What is added to file names, with its dot; empty without compression.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }
}
