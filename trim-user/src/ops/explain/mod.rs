//! Why each byte of a packet was kept or cut.
//!
//! The trimmer is listened to while a worker trims the capture ([`super::tape`]). Its labels say what a byte is; which
//! message it belongs to and by which rule that message was framed is read off the labels and the header blocks
//! afterwards ([`messages`], [`rule`]), so that the trimmers need to remember nothing for it.

mod flow;
mod messages;
mod reason;
mod report;
mod rule;
mod stream;
mod why;

pub use report::{FlowReport, PacketReport, Range};

use flow::{Flow, Flows};

use super::capture::Capture;
use super::tape::{self, Loss};
use crate::shared::Lane;
use crate::trimmer::{Labels, Policy, Settings};

/// Why something cannot be explained.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ExplainError {
    /// There is no such packet.
    #[error("there is no packet {wanted}: the capture has packets 1 to {count}")]
    NoPacket {
        /// The number asked for.
        wanted: u64,
        /// Packets in the capture.
        count: usize,
    },
    /// There is no such flow.
    #[error("there is no flow {wanted}: the capture has flows 1 to {count}")]
    NoFlow {
        /// The number asked for.
        wanted: u64,
        /// Flows in the capture.
        count: usize,
    },
}

/// A capture with everything that is known of its bytes.
pub struct Explanation<'c> {
    capture: &'c Capture,
    policy: Policy,
    max_header_block: u32,
    flows: Flows,
    /// By packet.
    labels: Vec<Labels>,
    losses: Vec<(usize, Loss)>,
}

impl<'c> Explanation<'c> {
    /// Trims the capture with the strategy of `lane` and interprets what it said.
    pub fn of(capture: &'c Capture, lane: Lane, settings: &Settings, policy: Policy) -> Self {
        let recorded = tape::record(capture, lane, settings, policy);
        let payload = |packet: &super::capture::Packet| capture.payload(packet).len() as u32;
        let labels: Vec<Labels> = (capture.packets.iter().enumerate())
            .map(|(index, packet)| recorded.tape.labels(index, payload(packet)))
            .collect();
        let mut flows = Flows::of(capture);
        for flow in &mut flows.flows {
            flow.interpret(capture, settings.max_header_block, |packet| &labels[packet]);
        }
        Self {
            capture,
            policy,
            max_header_block: settings.max_header_block,
            flows,
            labels,
            losses: recorded.tape.losses,
        }
    }

    /// All flows, in the order in which they begin.
    pub fn overview(&self) -> impl Iterator<Item = FlowReport> + '_ {
        let flows = self.flows.flows.iter().enumerate();
        flows.map(|(index, flow)| self.flow_report(index, flow))
    }

    /// One flow, by its number.
    ///
    /// # Errors
    /// When there is none of that number.
    pub fn flow(&self, number: u64) -> Result<(FlowReport, impl Iterator<Item = PacketReport> + '_), ExplainError> {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        let found = index.and_then(|index| Some((index, self.flows.flows.get(index)?)));
        let (index, flow) = found.ok_or(ExplainError::NoFlow {
            wanted: number,
            count: self.flows.flows.len(),
        })?;
        let packets = flow.packets.iter().map(|&packet| self.explain(packet));
        Ok((self.flow_report(index, flow), packets))
    }

    /// One packet, by its number in the capture, and its flow.
    ///
    /// # Errors
    /// When there is none of that number.
    pub fn packet(&self, number: u64) -> Result<(Option<FlowReport>, PacketReport), ExplainError> {
        let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
        match index.filter(|&index| index < self.capture.packets.len()) {
            Some(index) => {
                let flow = self.flow_of(index).map(|(number, flow)| self.flow_report(number, flow));
                Ok((flow, self.explain(index)))
            }
            None => Err(ExplainError::NoPacket {
                wanted: number,
                count: self.capture.packets.len(),
            }),
        }
    }

    fn flow_of(&self, packet: usize) -> Option<(usize, &Flow)> {
        let index = self.flows.of_packet[packet]?;
        Some((index, &self.flows.flows[index]))
    }
}
