//! Makes traffic for the benchmark: each live frame (`BPF_F_TEST_XDP_LIVE_FRAMES`) becomes the next segment of one of many
//! flows and leaves by an interface.
//!
//! The template must be Ethernet, IPv4 without options and TCP. The maps: `trim_common::maps::{SOURCE_SETUP, SOURCE_FLOWS}`.

use aya_ebpf::bindings::xdp_action;
use aya_ebpf::helpers::bpf_redirect;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::Array;
use aya_ebpf::programs::XdpContext;
use trim_common::maps::{SOURCE_FLOWS_MAX, SourceFlow, SourceSetup};

#[map]
static SOURCE_SETUP: Array<SourceSetup> = Array::with_max_entries(1, 0);
#[map]
static SOURCE_FLOWS: Array<SourceFlow> = Array::with_max_entries(SOURCE_FLOWS_MAX, 0);

/// Where TCP begins in the template.
const TCP: usize = 14 + 20;
/// Ports and sequence number: the first eight bytes of TCP.
const FIELDS: usize = 8;
/// Offset of the checksum within TCP.
const CHECKSUM: usize = 16;

/// Writes ports and sequence number of the next flow in turn and sends the frame off.
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
    let number = setup.made;
    setup.made += 1;
    let flow = SOURCE_FLOWS.get_ptr_mut((number % u64::from(setup.flows.max(1))) as u32)?;
    // SAFETY: as above.
    let flow = unsafe { &mut *flow };
    let (source_port, destination_port, sequence) = (flow.source_port, flow.destination_port, flow.sequence);
    flow.sequence = sequence.wrapping_add(setup.step);
    let interface = setup.interface;
    write(ctx, source_port, destination_port, sequence)?;
    // SAFETY: a helper that takes two integers.
    let action = unsafe { bpf_redirect(interface, 0) };
    Some(action as u32)
}

#[inline(always)]
fn write(ctx: &XdpContext, source_port: u16, destination_port: u16, sequence: u32) -> Option<()> {
    let tcp = ctx.data() + TCP;
    if tcp + CHECKSUM + 2 > ctx.data_end() {
        return None;
    }
    let mut fields = [0; FIELDS];
    fields[..2].copy_from_slice(&source_port.to_be_bytes());
    fields[2..4].copy_from_slice(&destination_port.to_be_bytes());
    fields[4..].copy_from_slice(&sequence.to_be_bytes());
    // SAFETY: the first CHECKSUM + 2 bytes of TCP were checked to lie in the packet; byte arrays have no alignment.
    let old = unsafe { *(tcp as *const [u8; FIELDS]) };
    // SAFETY: as above.
    let checksum = unsafe { *((tcp + CHECKSUM) as *const [u8; 2]) };
    let checksum = updated(u16::from_be_bytes(checksum), &old, &fields);
    // SAFETY: as above.
    unsafe { *(tcp as *mut [u8; FIELDS]) = fields };
    // SAFETY: as above.
    unsafe { *((tcp + CHECKSUM) as *mut [u8; 2]) = checksum.to_be_bytes() };
    Some(())
}

/// RFC 1624: the checksum after `old` became `new`. The frames of a run are recycled, so that `old` is what an earlier round
/// has left, and its checksum with it.
#[inline(always)]
fn updated(checksum: u16, old: &[u8; FIELDS], new: &[u8; FIELDS]) -> u16 {
    let mut sum = u32::from(!checksum);
    for at in [0, 2, 4, 6] {
        sum += u32::from(!u16::from_be_bytes([old[at], old[at + 1]]));
        sum += u32::from(u16::from_be_bytes([new[at], new[at + 1]]));
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    !(sum as u16)
}
