//! The capture program: the steps in their order.

use aya_ebpf::bindings::xdp_action;
use aya_ebpf::helpers::bpf_ktime_get_ns;
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use trim_common::frame::Frame as _;
use trim_common::headers::Content;
use trim_common::judge::{Stamp, Verdict, judge_other};
use trim_common::maps::Setup;
use trim_common::reason::{Count as _, Reason};
use trim_common::tag::{PacketTag, flags};

use crate::count::Counters;
use crate::ctx::FrameView;
use crate::{assign, cut, lease, maps, parse, steer, tag};

/// Sees every packet of the interface. Never aborts: a packet it cannot judge goes to legacy, untouched.
#[xdp]
pub fn trim(ctx: XdpContext) -> u32 {
    match (Counters::of_this_cpu(), maps::setup(), FrameView::of(&ctx)) {
        (Some(counters), Some(setup), Some(frame)) => handle(&ctx, &frame, setup, counters),
        // All three maps are arrays of one entry, which always exists; the verifier wants the check.
        _ => xdp_action::XDP_PASS,
    }
}

#[inline(always)]
fn handle(ctx: &XdpContext, frame: &FrameView, setup: &Setup, mut counters: Counters) -> u32 {
    counters.count(Reason::Seen);
    let parsed = parse::parse(frame);
    // SAFETY: a helper without arguments, allowed in every program type.
    let now = unsafe { bpf_ktime_get_ns() };
    let stale = lease::check(ctx, setup, now, &mut counters);
    // The verifier would follow all that comes once for each combination of these.
    let (stale, flags) = (frame.any(stale.into()) != 0, frame.any(parsed.flags.into()) as u16);
    let stamp = Stamp {
        now,
        length: frame.length(),
        stale,
        flags,
    };
    let verdict = match parsed.content {
        Content::Tcp => assign::judge(frame, frame.any_tcp(&parsed.tcp), setup, &stamp, &mut counters),
        other => judge_other(other, setup, &stamp, &mut counters),
    };
    match verdict {
        Verdict::Omit(reason) => {
            counters.count(reason);
            xdp_action::XDP_DROP
        }
        Verdict::Steer(strategy, mut tag) => {
            let has_room = tag::begin(ctx);
            let action = steer::steer(ctx, strategy, setup, &mut counters);
            if tag.flags & flags::SHORTENED != 0 {
                cut_or_unmark(ctx, action, has_room, &mut tag, &mut counters);
            }
            tag::write(ctx, &tag, has_room, &mut counters);
            action
        }
    }
}

/// Shortens a segment whose payload is body, if a socket gets it (the network stack gets whole packets) and its tag can say
/// how long it was.
#[inline(always)]
fn cut_or_unmark(ctx: &XdpContext, action: u32, has_room: bool, tag: &mut PacketTag, counters: &mut Counters) {
    let (to, whole) = (u32::from(tag.payload_offset), tag.original_length);
    if action == xdp_action::XDP_REDIRECT && has_room && cut::shorten(ctx, to, whole) {
        counters.count(Reason::BodyCut);
    } else {
        tag.flags &= !flags::SHORTENED;
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: no code that can panic survives optimisation; the verifier refuses a program that could reach this.
    unsafe { core::hint::unreachable_unchecked() }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
