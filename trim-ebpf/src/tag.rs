//! Fourth step: what was found out goes in front of the packet.

use core::arch::asm;

use aya_ebpf::helpers::bpf_xdp_adjust_meta;
use aya_ebpf::programs::XdpContext;
use trim_common::reason::{Count as _, Reason};
use trim_common::tag::{PacketTag, TAG_SIZE};

use crate::count::Counters;

/// Makes room for a tag in front of the packet; false when the driver has none, or has put metadata of its own there: user
/// space looks for the tag directly in front of the packet. Frame views made before become invalid.
#[inline(always)]
pub fn begin(ctx: &XdpContext) -> bool {
    ctx.metadata() == ctx.metadata_end() && make_room(ctx)
}

/// Writes the tag where [`begin`] has made room.
#[inline(always)]
pub fn write(ctx: &XdpContext, tag: &PacketTag, has_room: bool, counters: &mut Counters) {
    if !has_room || !copy(ctx, tag) {
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
    // SAFETY: both are 32 bytes, and the tag has no padding.
    let words: [u64; TAG_SIZE / 8] = unsafe { core::mem::transmute(*tag) };
    store::<0>(start, words[0]);
    store::<8>(start, words[1]);
    store::<16>(start, words[2]);
    store::<24>(start, words[3]);
    true
}

/// In assembly, because the packet may stand at any address; see [`PacketBytes`](crate::ctx::PacketBytes).
#[inline(always)]
fn store<const AT: usize>(address: usize, word: u64) {
    // SAFETY: writes memory that the verifier has to find within the metadata.
    unsafe {
        asm!("*(u64 *)({0} + {2}) = {1}", in(reg) address, in(reg) word, const AT, options(nostack, preserves_flags))
    };
}
