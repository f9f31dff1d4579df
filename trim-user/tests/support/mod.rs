//! Connections with known truth, and what is needed to hold a trimmer against it.
#![allow(dead_code, reason = "every test binary uses another part of this")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

pub mod capture;
pub mod check;
pub mod content;
pub mod demand;
pub mod dialogue;
pub mod labelled;
pub mod message;
pub mod perfect;
pub mod recipe;
pub mod reference;
pub mod rng;
pub mod wire;
