//! Last step: to which socket.

use aya_ebpf::bindings::xdp_action;
use aya_ebpf::programs::XdpContext;
use trim_common::judge::{self, Steered};
use trim_common::maps::Setup;
use trim_common::strategy::Strategy;

use crate::count::Counters;
use crate::maps::SOCKETS;

/// Sends the packet to a socket of its own queue; the XDP action.
#[inline(always)]
pub fn steer(ctx: &XdpContext, strategy: Strategy, setup: &Setup, counters: &mut Counters) -> u32 {
    let queue = ctx.rx_queue_index();
    match judge::steer(queue, strategy, setup, counters, has_socket) {
        Steered::Socket(_) => xdp_action::XDP_REDIRECT,
        Steered::Pass => xdp_action::XDP_PASS,
        Steered::Drop => xdp_action::XDP_DROP,
    }
}

/// Makes the socket at `index` the packet's destination, if there is one. The helper looks the socket up and leaves
/// everything as it was when there is none (`__bpf_xdp_redirect_map`, include/linux/filter.h).
#[inline(always)]
fn has_socket(index: u32) -> bool {
    SOCKETS.redirect(index, 0).is_ok()
}
