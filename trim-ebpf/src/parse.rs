//! First step: what is in the packet.

use trim_common::headers::{Dissected, dissect};

use crate::ctx::FrameView;

/// Follows the headers to TCP.
#[inline(always)]
pub fn parse(frame: &FrameView) -> Dissected {
    dissect(frame)
}
