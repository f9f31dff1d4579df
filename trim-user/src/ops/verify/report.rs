//! The outcome of a verification.

use std::fmt;

use serde::Serialize;

/// What is wrong with a packet, or with the captures as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A packet of the original is not in the trimmed capture.
    Missing,
    /// A packet of the trimmed capture is not in the original.
    Surplus,
    /// Packets of one flow and direction changed their order.
    Order,
    /// The capture time changed.
    Time,
    /// The link type changed.
    LinkType,
    /// The length on the wire, as recorded, changed.
    OriginalLength,
    /// More bytes than before.
    Grew,
    /// A byte of a link, IP or TCP header changed or is gone.
    Headers,
    /// The TCP checksum changed to a wrong one, or masking left a wrong one.
    Checksum,
    /// A packet that is not HTTP changed.
    NotHttp,
    /// HTTP header bytes changed or are gone.
    HeaderLost,
    /// Body bytes are still there.
    BodyLeaked,
    /// Removed bytes became something else than zeros, or bytes that may stay were changed.
    Altered,
    /// The value of a redacted field can be read.
    SecretLeaked,
    /// The packet is not of the form that the action asks for.
    Form,
}

impl Fault {
    /// Whether it says that something was left in, not that something was damaged.
    fn is_uncleanness(self) -> bool {
        matches!(self, Self::BodyLeaked | Self::SecretLeaked)
    }

    fn text(self) -> &'static str {
        match self {
            Self::Missing => "not in the trimmed capture",
            Self::Surplus => "not in the original",
            Self::Order => "out of order within its flow",
            Self::Time => "capture time changed",
            Self::LinkType => "link type changed",
            Self::OriginalLength => "recorded wire length changed",
            Self::Grew => "more bytes than before",
            Self::Headers => "link, IP or TCP header changed",
            Self::Checksum => "wrong TCP checksum",
            Self::NotHttp => "changed although it is not HTTP",
            Self::HeaderLost => "HTTP header bytes lost",
            Self::BodyLeaked => "body bytes left in",
            Self::Altered => "bytes changed to something else than zeros",
            Self::SecretLeaked => "a redacted value can be read",
            Self::Form => "not of the form the action asks for",
        }
    }
}

/// One fault of one packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Number of the packet in the original, from 1; none for a surplus packet.
    pub packet: Option<usize>,
    /// Number of its partner in the trimmed capture, from 1.
    pub trimmed_packet: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
    /// The particulars.
    pub detail: String,
}

/// Packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Packets {
    /// In the original.
    #[serde(rename = "packets_original")]
    pub original: u64,
    /// In the trimmed capture.
    #[serde(rename = "packets_trimmed")]
    pub trimmed: u64,
    /// Pairs that were compared.
    #[serde(rename = "packets_compared")]
    pub compared: u64,
    /// Pairs with HTTP bytes that are known for certain.
    #[serde(rename = "packets_http")]
    pub http: u64,
    /// Of the original, without a partner.
    pub missing: u64,
    /// Of the trimmed capture, without a partner.
    pub surplus: u64,
    /// Pairs out of order within their flow and direction.
    pub out_of_order: u64,
    /// Pairs with at least one fault.
    #[serde(rename = "packets_faulty")]
    pub faulty: u64,
}

/// Header blocks and trailers, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeaderBytes {
    /// Unchanged.
    #[serde(rename = "header_bytes_kept")]
    pub kept: u64,
    /// Changed or gone.
    #[serde(rename = "header_bytes_lost")]
    pub lost: u64,
}

/// Message content, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BodyBytes {
    /// Not stored.
    #[serde(rename = "body_bytes_gone")]
    pub gone: u64,
    /// Stored as zeros.
    #[serde(rename = "body_bytes_zero")]
    pub zero: u64,
    /// Within what `body_keep` lets stay, and there.
    #[serde(rename = "body_bytes_kept")]
    pub kept: u64,
    /// Still readable.
    #[serde(rename = "body_bytes_leaked")]
    pub leaked: u64,
    /// Readable too, but in a flow of which the trimmed capture lacks packets, so that its trimmer had to be unsure.
    #[serde(rename = "body_bytes_unsure")]
    pub unsure: u64,
    /// Neither the original nor zero.
    #[serde(rename = "body_bytes_altered")]
    pub altered: u64,
}

/// Bytes that may stay or go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FreeBytes {
    /// Unchanged.
    pub kept: u64,
    /// Gone or zero.
    pub removed: u64,
}

/// Values of redacted fields, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecretBytes {
    /// Overwritten.
    #[serde(rename = "redacted_bytes_overwritten")]
    pub overwritten: u64,
    /// Still readable.
    #[serde(rename = "redacted_bytes_readable")]
    pub readable: u64,
}

/// The outcome of a verification. As JSON it is one flat object, but for `framing`, `opaque`, `not_http`, `findings`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Nothing but bodies (and redacted values) was changed.
    pub faithful: bool,
    /// No body byte and no redacted value is left.
    pub clean: bool,
    /// Packets.
    #[serde(flatten)]
    pub packets: Packets,
    /// Header blocks and trailers.
    #[serde(flatten)]
    pub header: HeaderBytes,
    /// Message content.
    #[serde(flatten)]
    pub body: BodyBytes,
    /// Chunk-size lines, chunk line ends, blank lines between messages.
    pub framing: FreeBytes,
    /// Bytes nobody can label for certain, and what follows a protocol switch.
    pub opaque: FreeBytes,
    /// Payload of connections that do not speak HTTP.
    pub not_http: FreeBytes,
    /// Values of redacted fields.
    #[serde(flatten)]
    pub redacted: SecretBytes,
    /// How many faults there are.
    pub findings_total: u64,
    /// The first of them.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Faithful and clean.
    pub fn is_good(&self) -> bool {
        self.faithful && self.clean
    }

    pub(super) fn new() -> Self {
        Self {
            faithful: true,
            clean: true,
            ..Self::default()
        }
    }

    /// Writes a fault down; only the first `most` are kept, all count.
    pub(super) fn add(&mut self, finding: Finding, most: usize) {
        if finding.fault.is_uncleanness() {
            self.clean = false;
        } else {
            self.faithful = false;
        }
        self.findings_total += 1;
        if self.findings.len() < most {
            self.findings.push(finding);
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.packet, self.trimmed_packet) {
            (Some(packet), Some(trimmed)) if packet != trimmed => write!(f, "packet {packet} (trimmed {trimmed})")?,
            (Some(packet), _) => write!(f, "packet {packet}")?,
            (None, Some(trimmed)) => write!(f, "trimmed packet {trimmed}")?,
            (None, None) => write!(f, "captures")?,
        }
        write!(f, ": {}", self.fault.text())?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.detail)
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.faithful, self.clean) {
            (true, true) => "faithful and clean",
            (true, false) => "faithful, NOT clean",
            (false, true) => "NOT faithful, clean",
            (false, false) => "NOT faithful, NOT clean",
        };
        writeln!(f, "verdict    {verdict}")?;
        let packets = &self.packets;
        write!(
            f,
            "packets    {} original, {} trimmed, ",
            packets.original, packets.trimmed
        )?;
        write!(f, "{} compared ({} with HTTP), ", packets.compared, packets.http)?;
        writeln!(
            f,
            "{} missing, {} surplus, {} faulty",
            packets.missing, packets.surplus, packets.faulty
        )?;
        writeln!(
            f,
            "header     {} bytes kept, {} lost",
            self.header.kept, self.header.lost
        )?;
        let body = &self.body;
        write!(
            f,
            "body       {} bytes gone, {} zero, {} leaked",
            body.gone, body.zero, body.leaked
        )?;
        writeln!(
            f,
            ", {} kept on purpose, {} unsure, {} altered",
            body.kept, body.unsure, body.altered
        )?;
        for (name, bytes) in [
            ("framing", &self.framing),
            ("opaque", &self.opaque),
            ("not HTTP", &self.not_http),
        ] {
            writeln!(f, "{name:<10} {} bytes kept, {} removed", bytes.kept, bytes.removed)?;
        }
        let redacted = &self.redacted;
        writeln!(
            f,
            "redacted   {} bytes overwritten, {} readable",
            redacted.overwritten, redacted.readable
        )?;
        for finding in &self.findings {
            writeln!(f, "  {finding}")?;
        }
        let more = self.findings_total - self.findings.len() as u64;
        if more > 0 {
            writeln!(f, "  and {more} more")?;
        }
        Ok(())
    }
}
