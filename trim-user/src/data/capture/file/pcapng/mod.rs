//! The pcapng format (draft-ietf-opsawg-pcapng).

mod block;
mod options;
mod section;
mod time;

use super::bytes::Order;
use super::error::Fault;
use super::step::{Skipped, Step};
use block::{Block, kind};
use section::Section;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Decoder of one pcapng file.
#[derive(Debug)]
pub(super) struct Pcapng {
    section: Section,
    /// Whether the first section header was read.
    started: bool,
}

impl Pcapng {
    /// A decoder at the start of a file.
    pub(super) fn new() -> Self {
        Self {
            section: Section::new(Order::Little, 0),
            started: false,
        }
    }

    /// Whether a file with these first bytes is pcapng.
    pub(super) fn sniff(magic: [u8; 4]) -> bool {
        u32::from_le_bytes(magic) == kind::SECTION_HEADER
    }

    /// What stands at the start of `bytes`.
    #[inline]
    pub(super) fn step(&mut self, bytes: &[u8]) -> Result<Step, Fault> {
        if bytes.len() < block::LEAST {
            return Ok(Step::Need(block::LEAST));
        }
        let section_header = self.section.order.u32(bytes, 0) == kind::SECTION_HEADER;
        let order = if section_header {
            byte_order(bytes)?
        } else {
            self.section.order
        };
        let length = Block::length(bytes, order)?;
        if bytes.len() < length {
            return Ok(Step::Need(length));
        }
        let block = Block::new(&bytes[..length], order)?;
        match block.kind {
            kind::ENHANCED_PACKET => self.section.enhanced_packet(&block),
            kind::SIMPLE_PACKET => self.section.simple_packet(&block),
            kind::OBSOLETE_PACKET => self.section.obsolete_packet(&block),
            kind::INTERFACE => self.section.interface(&block),
            kind::STATISTICS => self.section.statistics(&block),
            kind::SECTION_HEADER => self.section_header(&block),
            kind::SECRETS => Ok(Step::Skip {
                length,
                kind: Skipped::Secrets,
            }),
            _ => Ok(Step::Skip {
                length,
                kind: Skipped::Other,
            }),
        }
    }

    /// Starts a section: interfaces are numbered anew, and the global numbering goes on.
    fn section_header(&mut self, block: &Block<'_>) -> Result<Step, Fault> {
        let (major, minor) = (block.u16(12), block.u16(14));
        if major != 1 {
            return Err(Fault::PcapngVersion { major, minor });
        }
        let base = if self.started { self.section.next_base() } else { 0 };
        self.started = true;
        self.section = Section::new(block.order, base);
        Ok(Step::Skip {
            length: block.bytes.len(),
            kind: Skipped::Structure,
        })
    }
}

/// The byte order of the section whose header `bytes` start with.
fn byte_order(bytes: &[u8]) -> Result<Order, Fault> {
    let magic = Order::Little.u32(bytes, 8);
    match magic {
        BYTE_ORDER_MAGIC => Ok(Order::Little),
        _ if magic.swap_bytes() == BYTE_ORDER_MAGIC => Ok(Order::Big),
        _ => Err(Fault::ByteOrder(magic)),
    }
}
