//! The data path: `capture -> dispatch -> trim -> sink`.

pub mod frame;
mod held;
pub mod worker;
