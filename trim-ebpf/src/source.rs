//! Makes traffic for the benchmark: each live frame (`BPF_F_TEST_XDP_LIVE_FRAMES`) becomes the next segment of the
//! connection whose turn it is, and leaves by an interface.
//!
//! What a segment is stands in `trim_common::source`; the maps are `trim_common::maps::SOURCE_*`.

use aya_ebpf::bindings::xdp_action;
use aya_ebpf::helpers::{bpf_ktime_get_ns, bpf_redirect, bpf_xdp_adjust_tail, bpf_xdp_store_bytes};
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::XdpContext;
use trim_common::source::{Flow, Setup, Step, WRITTEN_MAX};

/// The loader gives both arrays as many entries as the script has.
#[map]
static SOURCE_STEPS: Array<Step> = Array::with_max_entries(1, 0);
#[map]
static SOURCE_FLOWS: Array<Flow> = Array::with_max_entries(1, 0);
#[map]
static SOURCE_SETUP: Array<Setup> = Array::with_max_entries(1, 0);

/// How often the clock is read at most while a frame is not due yet: about 100 microseconds.
const LOOKS: u32 = 4096;

/// Sends the next segment.
#[xdp]
pub fn source(ctx: XdpContext) -> u32 {
    next(&ctx).unwrap_or(xdp_action::XDP_DROP)
}

#[inline(always)]
fn next(ctx: &XdpContext) -> Option<u32> {
    let setup = SOURCE_SETUP.get_ptr_mut(0)?;
    // SAFETY: a map value, aligned and alive as long as the program. User space changes it only between runs, and one
    // source makes one run at a time, on one CPU.
    let setup = unsafe { &mut *setup };
    let flow = SOURCE_FLOWS.get_ptr_mut(setup.turn)?;
    // SAFETY: as above.
    let flow = unsafe { &mut *flow };
    let step = SOURCE_STEPS.get_ptr_mut(u32::from(flow.step))?;
    // SAFETY: as above.
    let step = unsafe { &mut *step };
    setup.turn += 1;
    if setup.turn >= setup.flows {
        setup.turn = 0;
    }
    let fields = flow.send(step);
    step.fill(&fields);
    if setup.began_ns == 0 {
        setup.began_ns = now();
        setup.due_ns = setup.began_ns;
    }
    if setup.interval_ns != 0 {
        wait(setup);
    }
    write(ctx, step)?;
    setup.made += 1;
    // SAFETY: a helper that takes two integers.
    let action = unsafe { bpf_redirect(setup.interface, 0) };
    Some(action as u32)
}

/// Waits until the frame is due. One that is late does not move those behind it.
#[inline(always)]
fn wait(setup: &mut Setup) {
    for _ in 0..LOOKS {
        if now() >= setup.due_ns {
            break;
        }
    }
    setup.due_ns += setup.interval_ns;
}

#[inline(always)]
fn now() -> u64 {
    // SAFETY: a helper without arguments, allowed in every program type.
    unsafe { bpf_ktime_get_ns() }
}

/// Gives the frame its length and writes what differs.
#[inline(always)]
fn write(ctx: &XdpContext, step: &Step) -> Option<()> {
    let change = i32::from(step.length) - (ctx.data_end() - ctx.data()) as i32;
    // SAFETY: `ctx.ctx` is the context the kernel gave to this program run.
    if change != 0 && unsafe { bpf_xdp_adjust_tail(ctx.ctx, change) } != 0 {
        return None;
    }
    let written = u32::from(step.written);
    if written == 0 || written > WRITTEN_MAX as u32 {
        return None;
    }
    // SAFETY: as above; the kernel reads `written` bytes, no more than the array has.
    let result = unsafe { bpf_xdp_store_bytes(ctx.ctx, 0, step.frame.as_ptr().cast_mut().cast(), written) };
    (result == 0).then_some(())
}
