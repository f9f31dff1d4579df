//! A trimmer that is listened to: what it says of every packet, while a worker uses it as ever.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trim_common::strategy::Strategy;

use super::capture::Capture;
use crate::data::Record;
use crate::data::live::makers;
use crate::data::worker::{HoldLimits, Output, Worker};
use crate::shared::{Lane, LaneCounts};
use crate::trimmer::{Judgement, Label, Labels, Late, Policy, Segment, Settings, Statistics, Ticket, Trimmer};

/// Why a trimmer lost the framing, or bytes were not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Loss {
    /// Bytes are missing.
    Gap,
    /// The framing is malformed or contradicts itself.
    Framing,
    /// A bound was reached.
    Limit,
    /// Bytes came again with other content.
    Conflict,
}

/// What was heard.
#[derive(Default)]
pub(super) struct Tape {
    /// Labels by packet.
    labels: Vec<Option<Labels>>,
    /// Which packet showed the trimmer a loss, in order.
    pub(super) losses: Vec<(usize, Loss)>,
}

impl Tape {
    fn put(&mut self, ticket: Ticket, labels: &Labels) {
        let index = ticket.0 as usize;
        if self.labels.len() <= index {
            self.labels.resize_with(index + 1, || None);
        }
        self.labels[index] = Some(labels.clone());
    }

    /// What the worker acted upon for packet `index`, whose payload has `length` bytes: what was never said is unsure.
    pub(super) fn labels(&self, index: usize, length: u32) -> Labels {
        let said = self.labels.get(index).and_then(Option::as_ref);
        let mut labels = said.cloned().unwrap_or_default();
        labels.fill_to(length, Label::Unsure);
        labels
    }

    fn note(&mut self, packet: usize, before: &Statistics, after: &Statistics) {
        for (loss, grew) in [
            (Loss::Gap, after.lost_to_gap > before.lost_to_gap),
            (Loss::Framing, after.lost_to_framing > before.lost_to_framing),
            (Loss::Limit, after.lost_to_limit > before.lost_to_limit),
            (Loss::Conflict, after.conflicting_bytes > before.conflicting_bytes),
        ] {
            if grew {
                self.losses.push((packet, loss));
            }
        }
    }
}

/// Passes everything on to `inner` and back, and writes it down.
struct Recording {
    inner: Box<dyn Trimmer>,
    tape: Arc<Mutex<Tape>>,
}

/// What a panicking trimmer left on the tape is as good as what it left behind it in the worker.
fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}

struct RecordingLate<'a> {
    late: &'a mut dyn Late,
    tape: &'a Mutex<Tape>,
}

impl Late for RecordingLate<'_> {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        lock(self.tape).put(ticket, labels);
        self.late.decide(ticket, labels);
    }
}

impl Trimmer for Recording {
    fn strategy(&self) -> Strategy {
        self.inner.strategy()
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let before = *self.inner.statistics();
        let mut late = RecordingLate { late, tape: &self.tape };
        let judgement = self.inner.judge(ticket, segment, labels, &mut late);
        let mut tape = lock(&self.tape);
        tape.note(ticket.0 as usize, &before, self.inner.statistics());
        if judgement == Judgement::Decided {
            tape.put(ticket, labels);
        }
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        let mut late = RecordingLate { late, tape: &self.tape };
        self.inner.release(ticket, &mut late);
    }

    fn finish(&mut self, late: &mut dyn Late) {
        let mut late = RecordingLate { late, tape: &self.tape };
        self.inner.finish(&mut late);
    }

    fn statistics(&self) -> &Statistics {
        self.inner.statistics()
    }
}

/// What a whole capture came to.
pub(super) struct Recorded {
    pub(super) tape: Tape,
    pub(super) counts: LaneCounts,
    pub(super) statistics: Statistics,
}

/// A worker with one lane, as `trim file` has it.
pub(super) fn worker(lane: Lane, settings: &Settings, policy: Policy) -> Worker {
    Worker::new(
        vec![makers(settings).swap_remove(lane.index())],
        policy,
        HoldLimits::OFFLINE,
    )
}

/// Lets packets go.
pub(super) struct Discard;

impl Output for Discard {
    #[inline]
    fn store(&mut self, _lane: usize, record: Record<'_>) {
        std::hint::black_box(record.data.len());
    }
}

/// Trims a capture as `trim file` would, and writes down what the trimmer of `lane` says.
pub(super) fn record(capture: &Capture, lane: Lane, settings: &Settings, policy: Policy) -> Recorded {
    let tape = Arc::new(Mutex::new(Tape::default()));
    let make = makers(settings).swap_remove(lane.index());
    let recorder = Arc::clone(&tape);
    let make_recording = move || -> Box<dyn Trimmer> {
        Box::new(Recording {
            inner: make(),
            tape: Arc::clone(&recorder),
        })
    };
    let mut worker = Worker::new(vec![Box::new(make_recording)], policy, HoldLimits::OFFLINE);
    run(&mut worker, capture);
    let (counts, statistics) = (*worker.counts(0), worker.statistics(0));
    let tape = std::mem::take(&mut *lock(&tape));
    Recorded {
        tape,
        counts,
        statistics,
    }
}

/// Shows every packet of a capture to the one lane of a worker.
pub(super) fn run(worker: &mut Worker, capture: &Capture) {
    for packet in &capture.packets {
        worker.packet(0, packet.link, &capture.record(packet), &mut Discard);
    }
    worker.finish(&mut Discard);
}
