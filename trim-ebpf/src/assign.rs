//! Third step: the flow's entry, its strategy, and the verdict on the segment.

use aya_ebpf::bindings::BPF_NOEXIST;
use trim_common::assign::{FlowState, Rules, Visit, visit};
use trim_common::flow::FlowKey;
use trim_common::headers::Tcp;
use trim_common::judge::{Stamp, Verdict, count_visit, judge_tcp};
use trim_common::maps::Setup;
use trim_common::reason::{Count as _, Reason};

use crate::classify;
use crate::count::Counters;
use crate::ctx::FrameView;
use crate::maps::{self, FLOWS};

/// Finds or makes the flow's entry, brings it up to date and judges the segment.
#[inline(always)]
pub fn judge(frame: &FrameView, tcp: &Tcp, setup: &Setup, stamp: &Stamp, counters: &mut Counters) -> Verdict {
    let rules = Rules {
        policy: maps::policy(),
        hash: tcp.key.hash(setup.seed),
        detect: setup.detect != 0,
    };
    let visit = match FLOWS.get_ptr_mut(&tcp.key) {
        Some(entry) => revisit(entry, frame, tcp, &rules),
        None => first_visit(frame, tcp, &rules, counters),
    };
    count_visit(&visit, counters);
    judge_tcp(tcp, &rules, &visit, setup, stamp, counters)
}

#[inline(always)]
fn revisit(entry: *mut FlowState, frame: &FrameView, tcp: &Tcp, rules: &Rules) -> Visit {
    // SAFETY: `entry` points at a value of the flow table, valid until the program returns. Another CPU that sees the
    // flow's other direction may write at the same time: both derive the strategy from the same words, and what else
    // can get lost (that a flow is HTTP) only makes the program keep more.
    let state = unsafe { *entry };
    let visit = visited(Some(state), frame, tcp, rules);
    if visit.state != state {
        // SAFETY: as above.
        unsafe { *entry = visit.state };
    }
    visit
}

#[inline(always)]
fn first_visit(frame: &FrameView, tcp: &Tcp, rules: &Rules, counters: &mut Counters) -> Visit {
    let visit = visited(None, frame, tcp, rules);
    if FLOWS.insert(&tcp.key, &visit.state, u64::from(BPF_NOEXIST)).is_err() {
        // Either another CPU was first, with the same strategy by the same rules, or the table has no room.
        if !is_stored(&tcp.key) {
            counters.count(Reason::FlowNotStored);
        }
    }
    visit
}

#[inline(always)]
fn is_stored(key: &FlowKey) -> bool {
    FLOWS.get_ptr(key).is_some()
}

#[inline(always)]
fn visited(known: Option<FlowState>, frame: &FrameView, tcp: &Tcp, rules: &Rules) -> Visit {
    visit(
        known,
        tcp,
        rules,
        || classify::by_port(&tcp.key),
        || classify::lead(frame, tcp),
    )
}
