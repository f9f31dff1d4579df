//! Finds the TCP segment inside a frame.

use super::{Dissection, LinkType};

/// Dissects a frame of which `frame` was captured and `original_length` bytes were on the wire.
pub fn dissect(_link: LinkType, _frame: &[u8], _original_length: u32) -> Dissection {
    Dissection::Other
}
