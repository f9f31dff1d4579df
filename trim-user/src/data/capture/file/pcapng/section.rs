//! The blocks of one section: interfaces, packets, counts.

use super::super::MAX_PACKET;
use super::super::bytes::Order;
use super::super::error::Fault;
use super::super::step::{PacketStep, Step};
use super::block::Block;
use super::options::{BlockOption, options};
use super::time::Clock;
use crate::data::{Interface, InterfaceOption, InterfaceStatistics, TimeResolution};
use crate::packet::LinkType;

/// State of a section.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) order: Order,
    /// Global index of the section's first interface.
    base: u32,
    interfaces: Vec<Known>,
}

/// What is needed of an interface to read its packets.
#[derive(Clone, Copy, Debug)]
struct Known {
    clock: Clock,
    snaplen: u32,
}

impl Section {
    pub(super) fn new(order: Order, base: u32) -> Self {
        Self {
            order,
            base,
            interfaces: Vec::new(),
        }
    }

    /// Global index of the first interface of the section behind this one.
    pub(super) fn next_base(&self) -> u32 {
        // The reader refuses a file with too many interfaces long before this could be out of range.
        self.base.saturating_add(self.interfaces.len() as u32)
    }

    pub(super) fn interface(&mut self, block: &Block<'_>) -> Result<Step, Fault> {
        let mut interface = Interface {
            snaplen: block.u32(12),
            resolution: TimeResolution::MICROSECONDS,
            ..Interface::new(LinkType(block.u16(8)))
        };
        let mut offset_seconds = 0;
        for option in options(block.body(16), self.order) {
            apply(&mut interface, &mut offset_seconds, &option?)?;
        }
        let clock = Clock::new(interface.resolution, offset_seconds);
        self.interfaces.push(Known {
            clock,
            snaplen: interface.snaplen,
        });
        Ok(Step::Interface {
            length: block.bytes.len(),
            interface: Box::new(interface),
        })
    }

    #[inline]
    pub(super) fn enhanced_packet(&self, block: &Block<'_>) -> Result<Step, Fault> {
        self.timed_packet(block, block.u32(8))
    }

    /// The obsolete Packet Block has a 16-bit interface number and a drop count where the enhanced one has 32 bits.
    pub(super) fn obsolete_packet(&self, block: &Block<'_>) -> Result<Step, Fault> {
        self.timed_packet(block, u32::from(block.u16(8)))
    }

    #[inline]
    fn timed_packet(&self, block: &Block<'_>, interface: u32) -> Result<Step, Fault> {
        let known = self.known(interface)?;
        let (time_ns, time_clamped) = known.clock.nanoseconds(block.high_low(12));
        let captured = block.u32(20);
        packet(block, 28, captured).map(|data| {
            Step::Packet(PacketStep {
                length: block.bytes.len(),
                interface: self.base + interface,
                time_ns,
                time_clamped,
                original_length: block.u32(24),
                data,
            })
        })
    }

    /// A Simple Packet Block has neither a time nor an interface (it is the first one) nor a captured length (the
    /// block's own size and the snaplen tell).
    pub(super) fn simple_packet(&self, block: &Block<'_>) -> Result<Step, Fault> {
        let known = self.known(0)?;
        let original_length = block.u32(8);
        let limit = if known.snaplen == 0 { u32::MAX } else { known.snaplen };
        let captured = original_length.min(limit).min(block.bytes.len() as u32 - 16);
        packet(block, 12, captured).map(|data| {
            Step::Packet(PacketStep {
                length: block.bytes.len(),
                interface: self.base,
                time_ns: 0,
                time_clamped: false,
                original_length,
                data,
            })
        })
    }

    pub(super) fn statistics(&self, block: &Block<'_>) -> Result<Step, Fault> {
        let interface = block.u32(8);
        let clock = self.known(interface)?.clock;
        let time = |ticks| clock.nanoseconds(ticks).0;
        let mut statistics = InterfaceStatistics {
            time_ns: time(block.high_low(12)),
            ..Default::default()
        };
        for option in options(block.body(20), self.order) {
            let option = option?;
            match option.code {
                2 => statistics.start_ns = Some(time(option.high_low()?)),
                3 => statistics.end_ns = Some(time(option.high_low()?)),
                4 => statistics.received = Some(option.u64()?),
                5 => statistics.dropped = Some(option.u64()?),
                6 => statistics.accepted = Some(option.u64()?),
                7 => statistics.dropped_by_system = Some(option.u64()?),
                8 => statistics.delivered = Some(option.u64()?),
                _ => {}
            }
        }
        let interface = self.base + interface;
        Ok(Step::Statistics {
            length: block.bytes.len(),
            interface,
            statistics: Box::new(statistics),
        })
    }

    #[inline]
    fn known(&self, interface: u32) -> Result<&Known, Fault> {
        let known = self.interfaces.len();
        self.interfaces
            .get(interface as usize)
            .ok_or(Fault::UnknownInterface { interface, known })
    }
}

/// The range of a packet of `captured` bytes that starts at `from` in its block.
#[inline]
fn packet(block: &Block<'_>, from: usize, captured: u32) -> Result<std::ops::Range<usize>, Fault> {
    let room = block.bytes.len() - 4 - from;
    match captured as usize {
        _ if captured > MAX_PACKET => Err(Fault::PacketTooLong(captured)),
        length if length > room => Err(Fault::PacketBeyondBlock { captured, room }),
        length => Ok(from..from + length),
    }
}

/// Takes over one option of an Interface Description Block (pcapng section 4.2).
fn apply(interface: &mut Interface, offset_seconds: &mut i64, option: &BlockOption<'_>) -> Result<(), Fault> {
    match option.code {
        2 => interface.name = Some(option.text()),
        3 => interface.description = Some(option.text()),
        8 => interface.speed = Some(option.u64()?),
        9 => interface.resolution = TimeResolution(option.u8()?),
        11 => interface.filter = option.filter_text(),
        13 => interface.fcs_length = Some(option.u8()?),
        14 => *offset_seconds = option.u64()? as i64,
        // Comment, IPv4 address, IPv6 address, MAC address, EUI address, operating system, hardware.
        1 | 4..=7 | 12 | 15 => interface.other.push(InterfaceOption {
            code: option.code,
            value: option.value.into(),
        }),
        _ => {}
    }
    Ok(())
}
