//! AF_XDP on veth pairs in a network namespace: delivery, loss by place, frames, waiting, and the life of a link.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

mod delivery;
mod flood;
mod frames;
mod life;
mod loss;
mod nic;
mod wire;
