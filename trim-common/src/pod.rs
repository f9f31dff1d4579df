//! `aya::Pod` for the types that live in BPF maps. The only unsafe code of this crate.
#![allow(unsafe_code, reason = "`aya::Pod` is an unsafe trait; each type's argument is given")]

use crate::assign::FlowState;
use crate::cut::{CutKey, CutRange};
use crate::flow::FlowKey;
use crate::maps::Setup;
use crate::source;

// SAFETY: `repr(C)`, made of `u8` and `u16` arrays and fields whose sizes add up to the asserted size: no padding, and
// every bit pattern is a value.
unsafe impl aya::Pod for FlowKey {}
// SAFETY: `repr(C)`, made of unsigned integers whose sizes add up to the asserted size: no padding, and every bit
// pattern is a value.
unsafe impl aya::Pod for FlowState {}
// SAFETY: as for `FlowState`.
unsafe impl aya::Pod for Setup {}
// SAFETY: as for `FlowState`.
unsafe impl aya::Pod for source::Setup {}
// SAFETY: as for `FlowState`, and arrays of `u8`.
unsafe impl aya::Pod for source::Step {}
// SAFETY: as for `FlowState`.
unsafe impl aya::Pod for source::Flow {}
// SAFETY: as for `FlowState`; the flow's key in it is one as well.
unsafe impl aya::Pod for CutKey {}
// SAFETY: as for `FlowState`.
unsafe impl aya::Pod for CutRange {}
