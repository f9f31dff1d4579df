//! The body cut: a segment that lies wholly in published body is marked by [`mark`], and shortened by [`shorten`] when it
//! has a socket.

use aya_ebpf::helpers::bpf_xdp_adjust_tail;
use aya_ebpf::programs::XdpContext;
use trim_common::assign::{FlowState, Rules};
use trim_common::cut::{CutKey, CutRange};
use trim_common::headers::Tcp;
use trim_common::judge::{Stamp, Verdict, mark_cut};
use trim_common::maps::Setup;

use crate::maps::{CUTS, cuts_until};

/// Marks the segment in its tag when all of its payload is known to be body.
#[inline(always)]
pub fn mark(verdict: &mut Verdict, tcp: &Tcp, rules: &Rules, state: &FlowState, setup: &Setup, stamp: &Stamp) {
    if setup.cut != 0 {
        mark_cut(
            verdict,
            tcp,
            rules,
            state,
            stamp,
            |key| published(key, stamp.now),
            forget,
        );
    }
}

#[inline(always)]
fn published(key: &CutKey, now: u64) -> Option<CutRange> {
    if now >= cuts_until() {
        return None;
    }
    // SAFETY: an entry is valid until the program returns. The kernel may use its memory for another entry while it is
    // copied: the range's seal tells.
    CUTS.get_ptr(key).map(|range| unsafe { *range })
}

#[inline(always)]
fn forget(key: &CutKey) {
    // An entry that is gone already is as good.
    let _ = CUTS.remove(key);
}

/// Takes everything behind `length` bytes off the end of a frame that has `whole` bytes; whether that was done. Frame views
/// made before become invalid.
#[inline(always)]
pub fn shorten(ctx: &XdpContext, length: u32, whole: u32) -> bool {
    let change = length as i32 - whole as i32;
    // SAFETY: `ctx.ctx` is the context the kernel gave to this program run.
    unsafe { bpf_xdp_adjust_tail(ctx.ctx, change) == 0 }
}
