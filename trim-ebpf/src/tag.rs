//! Fourth step: what was found out goes in front of the packet.

use aya_ebpf::helpers::bpf_xdp_adjust_meta;
use aya_ebpf::programs::XdpContext;
use trim_common::reason::{Count as _, Reason};
use trim_common::tag::{PacketTag, TAG_SIZE};

use crate::count::Counters;

/// Writes the tag. The packet goes untagged when the driver has no room for metadata, or has put some of its own there:
/// user space looks for the tag directly in front of the packet. Frame views made before become invalid.
#[inline(always)]
pub fn write(ctx: &XdpContext, tag: &PacketTag, counters: &mut Counters) {
    if ctx.metadata() != ctx.metadata_end() || !make_room(ctx) || !copy(ctx, tag) {
        counters.count(Reason::Untagged);
    }
}

#[inline(always)]
fn make_room(ctx: &XdpContext) -> bool {
    // SAFETY: `ctx.ctx` is the context the kernel gave to this program run.
    unsafe { bpf_xdp_adjust_meta(ctx.ctx, -(TAG_SIZE as i32)) == 0 }
}

#[inline(always)]
fn copy(ctx: &XdpContext, tag: &PacketTag) -> bool {
    let start = ctx.metadata();
    if start + TAG_SIZE > ctx.metadata_end() {
        return false;
    }
    // SAFETY: `start + TAG_SIZE <= metadata_end` was checked just now, so the whole tag fits; the write assumes no
    // alignment.
    unsafe { (start as *mut PacketTag).write_unaligned(*tag) };
    true
}
