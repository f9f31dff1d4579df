//! Goes through a capture and finds where two strategies differ.

use std::collections::HashSet;

use trim_common::flow::FlowKey;

use super::report::{ClassReport, Comparison, Exemplar};
use crate::ops::capture::Capture;
use crate::ops::ends::ends;
use crate::ops::tape::Tape;
use crate::shared::Lane;
use crate::trimmer::{Class, Labels, differences};

/// Exemplars of each class, each from another flow.
const MOST_EXEMPLARS: usize = 3;

/// The differences between two strategies.
pub(super) struct Found {
    pub(super) comparison: Comparison,
    pub(super) exemplars: Vec<Exemplar>,
}

/// Compares what two strategies, of which the first is the reference, said of every packet.
pub(super) fn find(capture: &Capture, reference: &Tape, other: &Tape, lanes: [Lane; 2]) -> Found {
    let mut search = Search {
        lanes,
        comparison: Comparison::new(lanes[0], lanes[1]),
        flows: HashSet::new(),
        flows_by_class: HashSet::new(),
        exemplars: Vec::new(),
    };
    for (index, packet) in capture.packets.iter().enumerate() {
        if let Some(layout) = packet.tcp() {
            let length = layout.payload_end - layout.payload_offset;
            let said = [reference.labels(index, length), other.labels(index, length)];
            search.segment(capture, index, &said);
        }
    }
    search.comparison.flows = search.flows.len() as u64;
    Found {
        comparison: search.comparison,
        exemplars: search.exemplars,
    }
}

struct Search {
    lanes: [Lane; 2],
    comparison: Comparison,
    flows: HashSet<FlowKey>,
    flows_by_class: HashSet<(Class, FlowKey)>,
    exemplars: Vec<Exemplar>,
}

impl Search {
    fn segment(&mut self, capture: &Capture, index: usize, said: &[Labels; 2]) {
        let mut seen = [false; Class::COUNT];
        differences(&said[0], &said[1], |from, to, class| {
            let report = &mut self.comparison.classes[class.index()];
            report.bytes += u64::from(to - from);
            if !std::mem::replace(&mut seen[class.index()], true) {
                report.segments += 1;
                self.first_in_segment(capture, index, said, from..to, class);
            }
        });
        self.comparison.segments += u64::from(seen.contains(&true));
    }

    fn first_in_segment(
        &mut self,
        capture: &Capture,
        index: usize,
        said: &[Labels; 2],
        range: std::ops::Range<u32>,
        class: Class,
    ) {
        let Some(layout) = capture.packets[index].tcp() else {
            return;
        };
        self.flows.insert(layout.flow);
        if !self.flows_by_class.insert((class, layout.flow)) {
            return;
        }
        let report: &mut ClassReport = &mut self.comparison.classes[class.index()];
        report.flows += 1;
        if report.flows as usize > MOST_EXEMPLARS {
            return;
        }
        let (from, to) = ends(&layout.flow, layout.direction);
        let label = |labels: &Labels| labels.at(range.start).map_or("", crate::trimmer::Label::name);
        self.exemplars.push(Exemplar {
            class,
            reference: self.lanes[0].name(),
            reference_says: label(&said[0]),
            strategy: self.lanes[1].name(),
            strategy_says: label(&said[1]),
            flow: format!("{from} > {to}"),
            packet: index as u64 + 1,
            payload_from: range.start,
            payload_to: range.end,
            frame_from: layout.payload_offset + range.start,
            frame_to: layout.payload_offset + range.end,
            file: None,
        });
    }
}
