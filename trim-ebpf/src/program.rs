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

use crate::count::Counters;
use crate::ctx::FrameView;
use crate::{assign, lease, maps, parse, steer, tag};

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
    // Here stands the in-kernel body cut: a packet that is to be steered and that lies wholly inside a sequence range
    // published as body is shortened (`bpf_xdp_adjust_tail`) before its tag is written and before it is copied.
    match verdict {
        Verdict::Omit(reason) => {
            counters.count(reason);
            xdp_action::XDP_DROP
        }
        Verdict::Steer(strategy, tag) => {
            tag::write(ctx, &tag, &mut counters);
            steer::steer(ctx, strategy, setup, &mut counters)
        }
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
