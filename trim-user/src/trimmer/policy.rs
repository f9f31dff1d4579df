//! What is done with a byte of each kind: kept, cut off, zeroed or overwritten.

use serde::{Deserialize, Serialize};

use super::{Label, Labels, checksum};
use crate::packet::TcpLayout;

/// How removed bytes leave a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Removed bytes at the end of a packet are not stored; those between kept bytes are zeroed.
    #[default]
    Cut,
    /// Removed bytes are zeroed, lengths stay, and the TCP checksum follows.
    Mask,
}

/// What is done with packets that are not HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NonHttp {
    /// Stored whole.
    #[default]
    Keep,
    /// Stored up to the end of the transport header.
    Headers,
    /// Left out, and counted as omitted.
    Drop,
}

/// Whether bytes of one kind stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    /// They stay.
    #[default]
    Keep,
    /// They are removed.
    Cut,
}

/// The whole policy. The default is the one of `docs/trimming.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How removed bytes leave a packet.
    pub action: Action,
    /// Chunk-size lines and the line ends behind chunk data.
    pub framing: Retention,
    /// Bytes behind CONNECT and Upgrade.
    pub opaque: Retention,
    /// Packets of other protocols.
    pub non_http: NonHttp,
}

/// Written over the values of redacted header fields.
const REDACTION: u8 = b'x';

/// What becomes of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep,
    /// It is not stored, or stored as zero.
    Remove,
    /// It is stored as another byte, because it is part of a redacted value.
    Overwrite,
}

impl Policy {
    /// What becomes of the bytes with a label.
    #[inline]
    pub const fn fate(&self, label: Label) -> Fate {
        match label {
            Label::Header | Label::Trailer | Label::BodyKept | Label::Unsure | Label::Undecided => Fate::Keep,
            Label::Redacted => Fate::Overwrite,
            Label::Body => Fate::Remove,
            Label::Framing => self.framing.fate(),
            Label::Opaque => self.opaque.fate(),
            Label::NotHttp => match self.non_http {
                NonHttp::Keep => Fate::Keep,
                NonHttp::Headers | NonHttp::Drop => Fate::Remove,
            },
        }
    }

    /// Whether a packet with these labels is left out altogether.
    #[inline]
    pub fn omits(&self, labels: &Labels) -> bool {
        self.non_http == NonHttp::Drop && labels.single() == Some(Label::NotHttp)
    }

    /// The captured length that a packet with these labels gets. `captured` is its length before.
    #[inline]
    pub fn kept_length(&self, layout: &TcpLayout, labels: &Labels, captured: usize) -> usize {
        let Some(last) = labels.last() else { return captured };
        if self.action == Action::Mask || self.fate(last) != Fate::Remove {
            return captured;
        }
        let kept = labels
            .iter()
            .filter(|&(_, _, label)| self.fate(label) != Fate::Remove)
            .last()
            .map_or(0, |(_, end, _)| end);
        layout.payload_offset as usize + kept as usize
    }

    /// Whether bytes inside the kept length have to change, so that the packet needs a buffer of its own.
    #[inline]
    pub fn rewrites(&self, labels: &Labels) -> bool {
        if let Some(only) = labels.single() {
            return match self.fate(only) {
                Fate::Keep => false,
                Fate::Remove => self.action == Action::Mask,
                Fate::Overwrite => true,
            };
        }
        let mut removed = false;
        for (_, _, label) in labels.iter() {
            match self.fate(label) {
                Fate::Overwrite => return true,
                Fate::Keep if removed => return true,
                Fate::Keep => {}
                Fate::Remove => removed = true,
            }
        }
        removed && self.action == Action::Mask
    }

    /// Zeroes and overwrites what has to go from `packet`, which holds the kept length.
    ///
    /// With [`Action::Mask`] a right TCP checksum is updated for the bytes that changed (RFC 1624). One that was wrong
    /// before (offloaded to the network card) or cannot be told to be right (the segment was not captured whole) stays
    /// as it is: a header byte changes only to stay true.
    pub fn rewrite(&self, layout: &TcpLayout, labels: &Labels, packet: &mut [u8]) {
        let mends = self.action == Action::Mask && checksum::is_right(layout, packet);
        let mut change = checksum::Change::default();
        for (from, to, label) in labels.iter() {
            let with = match self.fate(label) {
                Fate::Keep => continue,
                Fate::Remove => 0,
                Fate::Overwrite => REDACTION,
            };
            let from = layout.payload_offset as usize + from as usize;
            let to = (layout.payload_offset as usize + to as usize).min(packet.len());
            let Some(bytes) = packet.get_mut(from..to) else {
                continue;
            };
            let is_odd = (from - layout.l4_offset as usize) % 2 == 1;
            change.remove(bytes, is_odd);
            bytes.fill(with);
            change.add(bytes, is_odd);
        }
        if mends {
            change.apply(packet, layout.l4_offset as usize + TCP_CHECKSUM_OFFSET);
        }
    }
}

/// Offset of the checksum in a TCP header (RFC 9293 section 3.1).
const TCP_CHECKSUM_OFFSET: usize = 16;

impl Retention {
    #[inline]
    const fn fate(self) -> Fate {
        match self {
            Self::Keep => Fate::Keep,
            Self::Cut => Fate::Remove,
        }
    }
}
