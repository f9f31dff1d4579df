//! The fuse: whether user space still renews its lease.

use aya_ebpf::programs::XdpContext;
use aya_log_ebpf::warn;
use trim_common::judge::lease_is_stale;
use trim_common::maps::Setup;
use trim_common::reason::{Count as _, Reason};

use crate::count::Counters;
use crate::maps;

/// Whether the lease is stale; said once in the log for each renewal that was the last.
#[inline(always)]
pub fn check(ctx: &XdpContext, setup: &Setup, now: u64, counters: &mut Counters) -> bool {
    let renewed = maps::lease();
    if !lease_is_stale(renewed, setup.lease_ns, now) {
        return false;
    }
    counters.count(Reason::LeaseStale);
    if maps::log_lease_once(renewed) {
        report(ctx, (now - renewed) / 1_000_000);
    }
    true
}

/// Apart, so that the log record's stack is not on every packet's path.
#[inline(never)]
fn report(ctx: &XdpContext, milliseconds: u64) {
    warn!(
        ctx,
        "user space has not renewed its lease for {} ms: all flows go to legacy until it does", milliseconds
    );
}
