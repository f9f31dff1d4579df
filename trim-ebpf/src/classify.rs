//! Second step, asked by [`assign`](crate::assign) when it matters: is the flow HTTP.

use trim_common::classify::Lead;
use trim_common::flow::FlowKey;
use trim_common::headers::Tcp;

use crate::ctx::FrameView;
use crate::maps;

/// Whether one end of the flow uses a configured port.
#[inline(always)]
pub fn by_port(key: &FlowKey) -> bool {
    maps::is_http_port(key.low_port) || maps::is_http_port(key.high_port)
}

/// The first bytes of a segment's payload.
#[inline(always)]
pub fn lead(frame: &FrameView, tcp: &Tcp) -> Lead {
    Lead::read(frame, tcp.payload_offset as u32, tcp.payload_length)
}
