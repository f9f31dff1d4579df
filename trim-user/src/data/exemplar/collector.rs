//! Finds exemplars among the packets of a worker's lane.

use std::sync::Arc;

use crossbeam_channel::Sender;
use trim_common::flow::FlowKey;

use super::recent::{REMEMBERED, Recent};
use super::{Exemplar, Quota};
use crate::data::record::Record;
use crate::packet::TcpLayout;
use crate::shared::ExemplarBoard;
use crate::trimmer::{Class, Finding, Label, Labels, Policy, Ticket, differences};

/// Packets of the flow that are saved in front of the one that shows the difference.
const BEFORE: usize = 32;
/// Packets of the flow that are saved behind it.
const BEHIND: u32 = 8;
/// Packets of any flow after which an exemplar is complete, whether its own flow went on or not: before its first
/// packets are forgotten.
const PATIENCE: u64 = (REMEMBERED / 2) as u64;
/// Most exemplars that wait for the packets behind them.
const MOST_OPEN: usize = 8;

/// Watches one lane of a worker. It costs a copy of each packet of that lane, and nothing of the other lanes.
pub struct Collector {
    policy: Policy,
    quota: Arc<Quota>,
    out: Sender<Exemplar>,
    board: Arc<ExemplarBoard>,
    recent: Recent,
    seen: u64,
    open: Vec<Open>,
    /// Each exemplar of a class is from another flow.
    shown: Vec<(Class, FlowKey)>,
}

/// A difference whose following packets are still to come.
struct Open {
    difference: Difference,
    ticket: Ticket,
    flow: FlowKey,
    behind: u32,
    until: u64,
}

/// The first stretch of a class within a segment.
#[derive(Clone, Copy)]
struct Difference {
    class: Class,
    exact_says: Label,
    fast_says: Label,
    payload_from: u32,
    payload_to: u32,
}

impl Collector {
    /// Hands what it finds to `out`, as long as `quota` lasts.
    pub fn new(policy: Policy, quota: Arc<Quota>, out: Sender<Exemplar>, board: Arc<ExemplarBoard>) -> Self {
        Self {
            policy,
            quota,
            out,
            board,
            recent: Recent::default(),
            seen: 0,
            open: Vec::with_capacity(MOST_OPEN),
            shown: Vec::new(),
        }
    }

    /// Whether there is anything left to do: afterwards packets need not be shown any more.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.open.is_empty() && self.quota.is_used_up()
    }

    /// A packet is about to be judged.
    pub fn see(&mut self, ticket: Ticket, frame: &Record<'_>, layout: &TcpLayout) {
        self.seen += 1;
        self.recent.push(ticket, frame, layout);
        let mut index = 0;
        while let Some(open) = self.open.get_mut(index) {
            open.behind -= u32::from(open.flow == layout.flow);
            if open.behind == 0 || self.seen >= open.until {
                let open = self.open.swap_remove(index);
                self.hand_over(&open);
            } else {
                index += 1;
            }
        }
    }

    /// The trimmer whose labels count has judged a packet.
    pub fn decided(&mut self, ticket: Ticket, labels: &Labels) {
        self.recent.decided(ticket, labels);
    }

    /// The two trimmers differ on a packet.
    pub fn found(&mut self, finding: &Finding) {
        let Some(flow) = self.recent.found(finding) else {
            return;
        };
        for difference in first_of_each_class(finding).into_iter().flatten() {
            let name = (difference.class, flow);
            if self.open.len() == MOST_OPEN || self.shown.contains(&name) || !self.quota.take(difference.class) {
                continue;
            }
            self.shown.push(name);
            self.open.push(Open {
                difference,
                ticket: finding.ticket,
                flow,
                behind: BEHIND + 1,
                until: self.seen + PATIENCE,
            });
        }
    }

    /// No more packets will come.
    pub fn finish(&mut self) {
        for open in std::mem::take(&mut self.open) {
            self.hand_over(&open);
        }
    }

    fn hand_over(&self, open: &Open) {
        let Some((packets, shown)) = self.recent.of_flow(&open.flow, open.ticket, BEFORE, self.policy) else {
            return self.board.lost.add(1);
        };
        let difference = open.difference;
        let exemplar = Exemplar {
            class: difference.class,
            exact_says: difference.exact_says,
            fast_says: difference.fast_says,
            payload_from: difference.payload_from,
            payload_to: difference.payload_to,
            shown,
            packets,
        };
        if self.out.try_send(exemplar).is_err() {
            self.board.lost.add(1);
        }
    }
}

fn first_of_each_class(finding: &Finding) -> [Option<Difference>; Class::COUNT] {
    let mut first = [None; Class::COUNT];
    differences(&finding.exact, &finding.fast, |from, to, class| {
        let label = |labels: &Labels| labels.at(from).unwrap_or(Label::Unsure);
        first[class.index()].get_or_insert(Difference {
            class,
            exact_says: label(&finding.exact),
            fast_says: label(&finding.fast),
            payload_from: from,
            payload_to: to,
        });
    });
    first
}
