//! Connections with known truth, and what is needed to hold a trimmer against it. The connections themselves are made
//! in the library, where `trim strategy validate` uses them too.
#![allow(dead_code, reason = "every test binary uses another part of this")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(unused_imports, reason = "every test binary uses another part of this")]

pub mod bytes;
pub mod capture;
pub mod damage;
mod for_all;
pub mod perfect;
mod recipes;
pub mod reference;
pub mod trimmed;

pub use trim_user::ops::selftest::generated::{demand, dialogue, labelled, rng, wire};

pub mod check {
    pub use super::for_all::for_all;
    pub use trim_user::ops::selftest::generated::check::*;
}

pub mod recipe {
    pub use super::recipes::recipes;
    pub use trim_user::ops::selftest::generated::recipe::*;
}
