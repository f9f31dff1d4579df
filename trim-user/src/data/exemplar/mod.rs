//! Exemplars: a few small captures of places where the two strategies differ, in mode `comparison`.
//!
//! A [`Collector`] belongs to a worker. It remembers the last packets, and when the trimmers differ on one it hands that
//! packet and its flow's neighbours to the [`Saver`], a thread that writes them. Bytes that both strategies call body
//! are zeroed before they leave the worker.

mod collector;
mod quota;
mod recent;
mod saver;

pub use collector::Collector;
pub use quota::Quota;
pub use saver::Saver;

use std::path::PathBuf;

use crate::trimmer::{Class, Label};

/// How many exemplars are saved, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExemplarSettings {
    /// Most exemplars of each class of difference, each from another flow; 0 saves none.
    pub of_each_class: u32,
    /// Their folder.
    pub directory: PathBuf,
    /// Most bytes in that folder, those of earlier captures included.
    pub bytes: u64,
}

/// One packet of an exemplar, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When it was seen, nanoseconds since 1970.
    pub time_ns: u64,
    /// Its length on the wire, bytes.
    pub original_length: u32,
    /// Its bytes, without what both strategies call body.
    pub data: Vec<u8>,
}

/// A difference, and the packets of its flow around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// What it is an exemplar of.
    pub class: Class,
    /// What the exact trimmer says of the first byte of the difference.
    pub exact_says: Label,
    /// What the fast trimmer says of it.
    pub fast_says: Label,
    /// Offset of that byte in the payload of the packet that shows it.
    pub payload_from: u32,
    /// Offset behind the last byte of that stretch.
    pub payload_to: u32,
    /// Which of the packets shows it.
    pub shown: usize,
    /// Packets of the flow, in order.
    pub packets: Vec<Packet>,
}
