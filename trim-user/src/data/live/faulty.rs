//! A trimmer that fails as it is told to.

use std::hint::{black_box, spin_loop};
use std::panic::resume_unwind;
use std::sync::Arc;

use trim_common::strategy::Strategy;

use crate::shared::{FaultPlan, Faults};
use crate::trimmer::{BodyAhead, Judgement, Label, Labels, Late, Segment, Statistics, Ticket, Trimmer};

/// Puts faults into another trimmer, for rehearsals.
pub(super) struct Faulty<T> {
    inner: T,
    faults: Arc<Faults>,
    /// Parts of a fault that are due: shares are dealt out evenly, not drawn.
    panics: f64,
    wrong: f64,
}

impl<T> Faulty<T> {
    pub(super) const fn new(inner: T, faults: Arc<Faults>) -> Self {
        Self {
            inner,
            faults,
            panics: 0.0,
            wrong: 0.0,
        }
    }

    fn burden(plan: &FaultPlan) {
        (0..plan.spins).for_each(|_| spin_loop());
        if plan.leak > 0 {
            // Filled, so that the memory is really taken.
            std::mem::forget(black_box(vec![1_u8; plan.leak as usize]));
        }
    }
}

/// Adds a share to what is due; true when a whole one is.
fn is_due(due: &mut f64, share: f64) -> bool {
    *due += share;
    let is_due = *due >= 1.0;
    if is_due {
        *due -= 1.0;
    }
    is_due
}

/// The same labels, with body where there was a header.
fn turn_headers_into_body(labels: &mut Labels) {
    let mut wrong = Labels::new();
    for (from, to, label) in labels.iter() {
        let label = if label == Label::Header { Label::Body } else { label };
        wrong.push(to - from, label);
    }
    *labels = wrong;
}

impl<T: Trimmer> Trimmer for Faulty<T> {
    fn strategy(&self) -> Strategy {
        self.inner.strategy()
    }

    fn judge(&mut self, ticket: Ticket, segment: &Segment<'_>, labels: &mut Labels, late: &mut dyn Late) -> Judgement {
        let plan = self.faults.plan();
        while self.faults.is_stalled() {
            spin_loop();
        }
        Self::burden(&plan);
        if is_due(&mut self.panics, plan.panics) {
            // Unlike `panic!` this says nothing on standard error, thousands of times a second.
            resume_unwind(Box::new("a fault that was asked for"));
        }
        let judgement = self.inner.judge(ticket, segment, labels, late);
        if judgement == Judgement::Decided && !segment.payload.is_empty() && is_due(&mut self.wrong, plan.wrong) {
            turn_headers_into_body(labels);
        }
        judgement
    }

    fn release(&mut self, ticket: Ticket, late: &mut dyn Late) {
        self.inner.release(ticket, late);
    }

    fn finish(&mut self, late: &mut dyn Late) {
        self.inner.finish(late);
    }

    fn hurry(&mut self, is_overloaded: bool) {
        self.inner.hurry(is_overloaded);
    }

    fn statistics(&self) -> &Statistics {
        self.inner.statistics()
    }

    fn body_ahead(&mut self, segment: &Segment<'_>) -> BodyAhead {
        self.inner.body_ahead(segment)
    }
}
