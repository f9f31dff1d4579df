//! The XDP program: against its pure twin, packet by packet, through `BPF_PROG_TEST_RUN`; and on real interfaces.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

mod cut;
mod flows;
mod frames;
mod interfaces;
mod lease;
mod policy;
mod rig;
mod source;
mod steering;
mod truth;
mod twin;
