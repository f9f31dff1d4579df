//! Trims frames: dissect, judge, apply the policy, and let them out in order.
//!
//! A worker has one or more lanes, each with a trimmer of its own. The caller says which lane judges a frame; all lanes
//! share one queue, so that frames leave in the order in which they came whatever lane they took.

mod late;
mod limits;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use self::late::LateFrames;
pub use self::limits::HoldLimits;
use super::exemplar::Collector;
use super::held::HeldFrames;
use super::record::Record;
use crate::packet::{Dissection, LinkType, TcpLayout, dissect, transport_end};
use crate::shared::LaneCounts;
use crate::trimmer::{
    BodyAhead, Judgement, Label, Labels, Late, NonHttp, Policy, Segment, Statistics, Ticket, Trimmer,
};

/// Takes the packets that leave a worker, in order.
pub trait Output {
    /// One packet to be stored; `lane` is the index of the lane that judged it.
    fn store(&mut self, lane: usize, record: Record<'_>);
}

/// Remembers what a trimmer knows in advance to be body, for the kernel, which may cut it off, and for the other trimmers.
pub trait BodyCutter: Send {
    /// Whether it is worth asking the trimmer what follows this segment, which ends with body.
    fn asks(&mut self, segment: &Segment<'_>) -> bool;

    /// So many bytes behind the segment, which came on this interface, are body.
    fn body_ahead(&mut self, interface: u32, segment: &Segment<'_>, length: BodyAhead);

    /// A SYN begins another connection on the addresses and ports of this segment.
    fn begins(&mut self, _segment: &Segment<'_>) {}

    /// Whether all of this segment was said to be body, by a trimmer that knew how its message began.
    fn is_body(&self, _segment: &Segment<'_>) -> bool {
        false
    }
}

/// Makes a trimmer; called at the start and after a panic.
pub type MakeTrimmer = Box<dyn Fn() -> Box<dyn Trimmer> + Send>;

struct Lane {
    make: MakeTrimmer,
    trimmer: Box<dyn Trimmer>,
    counts: LaneCounts,
    retired: Statistics,
}

/// Trims frames in one or more lanes.
pub struct Worker {
    lanes: Vec<Lane>,
    policy: Policy,
    limits: HoldLimits,
    is_overloaded: bool,
    held: HeldFrames,
    next: u64,
    labels: Labels,
    scratch: Vec<u8>,
    watched: Option<Watched>,
    cutter: Option<Box<dyn BodyCutter>>,
}

/// A lane whose differences are collected.
struct Watched {
    lane: usize,
    collector: Collector,
}

/// Longest frame that the scratch buffer holds without growing, bytes.
const SCRATCH_BYTES: usize = 64 << 10;

impl Worker {
    /// A worker with one lane for each of `makers`.
    pub fn new(makers: Vec<MakeTrimmer>, policy: Policy, limits: HoldLimits) -> Self {
        let lanes = makers
            .into_iter()
            .map(|make| Lane {
                trimmer: make(),
                make,
                counts: LaneCounts::default(),
                retired: Statistics::default(),
            })
            .collect();
        Self {
            lanes,
            policy,
            limits,
            is_overloaded: false,
            held: HeldFrames::default(),
            next: 0,
            labels: Labels::new(),
            scratch: Vec::with_capacity(SCRATCH_BYTES),
            watched: None,
            cutter: None,
        }
    }

    /// Packets may come without a body that a trimmer has told `cutter` of. They are counted as if they came with it.
    #[must_use]
    pub fn with_cutter(mut self, cutter: Box<dyn BodyCutter>) -> Self {
        self.cutter = Some(cutter);
        self
    }

    /// Shows the packets of `lane`, and where its two trimmers differ, to a collector of exemplars.
    #[must_use]
    pub fn with_collector(mut self, lane: usize, collector: Collector) -> Self {
        self.watched = Some(Watched { lane, collector });
        self
    }

    /// The collector, where it has anything to do with packets of `lane`.
    #[inline]
    fn collector(&mut self, lane: usize) -> Option<&mut Collector> {
        watching(&mut self.watched, lane)
    }

    /// Trims one frame in `lane`; it and frames that were held may leave through `output`.
    ///
    /// # Panics
    /// When there is no such lane.
    #[inline]
    pub fn packet(&mut self, lane: usize, link: LinkType, frame: &Record<'_>, output: &mut impl Output) {
        let ticket = Ticket(self.next);
        self.next += 1;
        let counts = &mut self.lanes[lane].counts;
        counts.packets += 1;
        counts.bytes_in += match self.cutter {
            Some(_) => u64::from(frame.original_length),
            None => frame.data.len() as u64,
        };
        match dissect(link, frame.data, frame.original_length) {
            Dissection::Tcp(layout) => self.segment(ticket, lane, frame, &layout, output),
            Dissection::Fragment => self.store(ticket, lane, frame, output),
            Dissection::Other => self.other(ticket, lane, link, frame, output),
        }
        if !self.held.is_empty() {
            self.held.drain(output);
            self.enforce(frame.time_ns, output);
        }
    }

    #[inline]
    fn segment(
        &mut self,
        ticket: Ticket,
        lane: usize,
        frame: &Record<'_>,
        layout: &TcpLayout,
        output: &mut impl Output,
    ) {
        let payload = &frame.data[layout.payload_offset as usize..layout.payload_end as usize];
        self.lanes[lane].counts.segments += u64::from(!payload.is_empty());
        let segment = Segment {
            flow: layout.flow,
            direction: layout.direction,
            sequence: layout.sequence,
            acknowledgment: layout.acknowledgment,
            flags: layout.flags,
            payload,
            wire_payload: layout.wire_payload,
            time: frame.time_ns,
        };
        if let Some(collector) = self.collector(lane) {
            collector.see(ticket, frame, layout);
        }
        if segment.flags.syn()
            && let Some(cutter) = &mut self.cutter
        {
            cutter.begins(&segment);
        }
        let judgement = self.judge(ticket, lane, &segment);
        self.believe_promise(&segment, judgement);
        self.collect(ticket, lane, judgement);
        self.look_ahead(lane, frame.interface, &segment, judgement);
        match judgement {
            Judgement::Held => self.held.push_waiting(ticket, lane, frame, *layout),
            Judgement::Decided => self.decided(ticket, lane, frame, layout, output),
        }
    }

    /// A trimmer that met the flow in the middle of a message cannot know what another one knew.
    #[inline]
    fn believe_promise(&mut self, segment: &Segment<'_>, judgement: Judgement) {
        let is_undecided = judgement == Judgement::Decided && self.labels.single() == Some(Label::Undecided);
        if is_undecided && self.cutter.as_ref().is_some_and(|cutter| cutter.is_body(segment)) {
            self.labels.clear();
            self.labels.push(segment.payload.len() as u32, Label::Body);
        }
    }

    /// Tells the cutter what follows the body bytes of this segment.
    #[inline]
    fn look_ahead(&mut self, lane: usize, interface: u32, segment: &Segment<'_>, judgement: Judgement) {
        let Some(cutter) = &mut self.cutter else { return };
        let cut = segment.wire_payload - segment.payload.len() as u32;
        if cut > 0 {
            self.lanes[lane].counts.labelled[Label::Body.index()] += u64::from(cut);
        } else if judgement == Judgement::Decided && self.labels.last() == Some(Label::Body) && cutter.asks(segment) {
            let ahead = self.lanes[lane].trimmer.body_ahead(segment);
            cutter.body_ahead(interface, segment, ahead);
        }
    }

    /// Tells the collector what has become known.
    #[inline]
    fn collect(&mut self, ticket: Ticket, lane: usize, judgement: Judgement) {
        let Self {
            watched, labels, lanes, ..
        } = self;
        let Some(collector) = watching(watched, lane) else {
            return;
        };
        if judgement == Judgement::Decided {
            collector.decided(ticket, labels);
        }
        while let Some(finding) = lanes[lane].trimmer.take_finding() {
            collector.found(&finding);
        }
    }

    /// Asks the trimmer. A panic is its own affair: the packets it knew of are kept whole and a new one takes over.
    #[inline]
    fn judge(&mut self, ticket: Ticket, lane: usize, segment: &Segment<'_>) -> Judgement {
        self.labels.clear();
        let Self {
            lanes,
            held,
            policy,
            labels,
            watched,
            ..
        } = self;
        let Lane { trimmer, counts, .. } = &mut lanes[lane];
        let mut late = LateFrames {
            held,
            policy,
            counts,
            collector: watching(watched, lane),
        };
        let judged = catch_unwind(AssertUnwindSafe(|| trimmer.judge(ticket, segment, labels, &mut late)));
        match judged {
            Ok(Judgement::Held) => Judgement::Held,
            Ok(Judgement::Decided) => {
                labels.fill_to(segment.payload.len() as u32, Label::Unsure);
                Judgement::Decided
            }
            Err(_panic) => {
                self.replace_trimmer(lane);
                self.lanes[lane].counts.kept_by_panic += 1;
                self.labels.clear();
                self.labels.push(segment.payload.len() as u32, Label::Unsure);
                Judgement::Decided
            }
        }
    }

    #[cold]
    fn replace_trimmer(&mut self, lane: usize) {
        for ticket in self.held.waiting_in(lane) {
            self.keep_whole(ticket);
            self.lanes[lane].counts.kept_by_panic += 1;
        }
        let Lane {
            make,
            trimmer,
            counts,
            retired,
        } = &mut self.lanes[lane];
        counts.panics += 1;
        retired.absorb(trimmer.statistics());
        *trimmer = make();
        trimmer.hurry(self.is_overloaded);
    }

    #[inline]
    fn decided(
        &mut self,
        ticket: Ticket,
        lane: usize,
        frame: &Record<'_>,
        layout: &TcpLayout,
        output: &mut impl Output,
    ) {
        let counts = &mut self.lanes[lane].counts;
        counts.label(&self.labels);
        if self.policy.omits(&self.labels) {
            counts.omitted += 1;
            return self.omit(ticket, lane, frame);
        }
        let stored = self.policy.kept_length(layout, &self.labels, frame.data.len());
        if !self.policy.rewrites(&self.labels) {
            let frame = Record {
                data: &frame.data[..stored],
                ..*frame
            };
            return self.store(ticket, lane, &frame, output);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(&frame.data[..stored]);
        self.policy.rewrite(layout, &self.labels, &mut scratch);
        self.store(
            ticket,
            lane,
            &Record {
                data: &scratch,
                ..*frame
            },
            output,
        );
        self.scratch = scratch;
    }

    /// A frame without a TCP segment that could be read.
    fn other(&mut self, ticket: Ticket, lane: usize, link: LinkType, frame: &Record<'_>, output: &mut impl Output) {
        match self.policy.non_http {
            NonHttp::Keep => self.store(ticket, lane, frame, output),
            NonHttp::Headers => {
                let stored = transport_end(link, frame.data, frame.original_length);
                self.store(
                    ticket,
                    lane,
                    &Record {
                        data: &frame.data[..stored],
                        ..*frame
                    },
                    output,
                );
            }
            NonHttp::Drop => {
                self.lanes[lane].counts.omitted += 1;
                self.omit(ticket, lane, frame);
            }
        }
    }

    /// Lets a finished frame out, or puts it behind those that wait.
    #[inline]
    fn store(&mut self, ticket: Ticket, lane: usize, frame: &Record<'_>, output: &mut impl Output) {
        self.lanes[lane].counts.bytes_out += frame.data.len() as u64;
        if !self.held.is_empty() {
            self.held.drain(output);
        }
        if self.held.is_empty() {
            output.store(lane, *frame);
        } else {
            self.held.push_ready(ticket, lane, frame);
        }
    }

    fn omit(&mut self, ticket: Ticket, lane: usize, frame: &Record<'_>) {
        if !self.held.is_empty() {
            self.held.push_omitted(ticket, lane, frame);
        }
    }

    /// Says whether the capture itself loses packets. What it has lost does not come, and whatever waits for that holds up
    /// all packets behind it: they would cost more, and more would be lost.
    #[inline]
    pub fn hurry(&mut self, is_overloaded: bool) {
        if self.is_overloaded != is_overloaded {
            self.is_overloaded = is_overloaded;
            for lane in &mut self.lanes {
                lane.trimmer.hurry(is_overloaded);
            }
        }
    }

    /// Keeps what is held within its limits. `now_ns` is the current capture time.
    pub fn enforce(&mut self, now_ns: u64, output: &mut impl Output) {
        while let Some((ticket, lane, since)) = self.held.oldest() {
            let too_much = self.held.bytes() > self.limits.bytes;
            let too_long = now_ns.saturating_sub(since) > self.limits.longest_wait(self.is_overloaded);
            if !too_much && !too_long {
                return;
            }
            self.lanes[lane].counts.released += 1;
            self.with_late(lane, |trimmer, late| trimmer.release(ticket, late));
            self.keep_whole(ticket);
            self.held.drain(output);
        }
    }

    /// Decides everything that is held; no more frames will come.
    pub fn finish(&mut self, output: &mut impl Output) {
        for lane in 0..self.lanes.len() {
            self.with_late(lane, |trimmer, late| trimmer.finish(late));
            for ticket in self.held.waiting_in(lane) {
                self.keep_whole(ticket);
            }
            if let Some(collector) = self.collector(lane) {
                collector.finish();
            }
        }
        self.held.drain(output);
    }

    fn with_late(&mut self, lane: usize, call: impl FnOnce(&mut dyn Trimmer, &mut dyn Late)) {
        let Self {
            lanes,
            held,
            policy,
            watched,
            ..
        } = self;
        let Lane { trimmer, counts, .. } = &mut lanes[lane];
        let mut late = LateFrames {
            held,
            policy,
            counts,
            collector: watching(watched, lane),
        };
        if catch_unwind(AssertUnwindSafe(|| call(trimmer.as_mut(), &mut late))).is_err() {
            self.replace_trimmer(lane);
        }
    }

    /// Keeps a frame whole when it still waits: its trimmer is gone or did not answer.
    fn keep_whole(&mut self, ticket: Ticket) {
        let Some(waiting) = self.held.waiting(ticket) else {
            return;
        };
        let (lane, length) = (waiting.lane, waiting.data.len());
        let counts = &mut self.lanes[lane].counts;
        counts.labelled[Label::Unsure.index()] += u64::from(waiting.layout.payload_end - waiting.layout.payload_offset);
        counts.bytes_out += length as u64;
        self.held.settle(ticket, Some(length));
    }

    /// What a lane has done.
    pub fn counts(&self, lane: usize) -> &LaneCounts {
        &self.lanes[lane].counts
    }

    /// What the trimmers of a lane have seen, those that panicked included.
    pub fn statistics(&self, lane: usize) -> Statistics {
        let mut all = self.lanes[lane].retired;
        all.absorb(self.lanes[lane].trimmer.statistics());
        all
    }

    /// Memory in use for frames that wait and those behind them, bytes.
    pub fn held_bytes(&self) -> usize {
        self.held.bytes()
    }

    /// Capture time of the oldest frame that waits.
    pub fn oldest_held(&self) -> Option<u64> {
        self.held.oldest().map(|(_, _, time)| time)
    }
}

#[inline]
fn watching(watched: &mut Option<Watched>, lane: usize) -> Option<&mut Collector> {
    let watched = watched.as_mut().filter(|watched| watched.lane == lane)?;
    Some(&mut watched.collector).filter(|collector| !collector.is_done())
}
