//! Third step: the flow's entry, its strategy, and the verdict on the segment.

use aya_ebpf::bindings::BPF_NOEXIST;
use trim_common::assign::{FlowState, Rules, visit};
use trim_common::flow::FlowKey;
use trim_common::headers::Tcp;
use trim_common::judge::{Stamp, Verdict, count_visit, judge_tcp};
use trim_common::maps::Setup;
use trim_common::reason::{Count as _, Reason};

use crate::classify;
use crate::count::Counters;
use crate::ctx::FrameView;
use crate::cut;
use crate::maps::{self, FLOWS};

/// Finds or makes the flow's entry, brings it up to date and judges the segment.
#[inline(always)]
pub fn judge(frame: &FrameView, tcp: &Tcp, setup: &Setup, stamp: &Stamp, counters: &mut Counters) -> Verdict {
    let entry = FLOWS.get_ptr_mut(&tcp.key);
    let rules = Rules {
        policy: maps::policy(),
        hash: match entry {
            // SAFETY: an entry of the flow table is valid until the program returns, and its hash never changes.
            Some(entry) => unsafe { (*entry).hash },
            None => tcp.key.hash(setup.seed),
        },
        detect: setup.detect != 0,
        now: stamp.now,
    };
    // SAFETY: as above. Another CPU that sees the flow's other direction may write at the same time: both derive the strategy
    // from the same words, and what else can get lost (that a flow is HTTP) only makes the program keep more.
    let known = entry.map(|entry| unsafe { *entry });
    let by_port = || classify::by_port(&tcp.key);
    let visit = visit(known, tcp, &rules, by_port, || classify::lead(frame, tcp));
    match entry {
        // SAFETY: as above.
        Some(entry) if known != Some(visit.state) => unsafe { *entry = visit.state },
        Some(_) => {}
        None => store(&tcp.key, &visit.state, counters),
    }
    count_visit(&visit, counters);
    let mut verdict = judge_tcp(tcp, &rules, &visit, setup, stamp, counters);
    cut::mark(&mut verdict, tcp, &rules, &visit.state, setup, stamp);
    verdict
}

#[inline(always)]
fn store(key: &FlowKey, state: &FlowState, counters: &mut Counters) {
    if FLOWS.insert(key, state, u64::from(BPF_NOEXIST)).is_ok() {
        return;
    }
    // Either another CPU was first, with the same strategy by the same rules, or the table has no room.
    if FLOWS.get_ptr(key).is_none() {
        counters.count(Reason::FlowNotStored);
    }
}
