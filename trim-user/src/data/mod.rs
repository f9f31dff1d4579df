//! The data path: `capture -> dispatch -> trim -> sink`.

pub mod chunk;
mod held;
mod merge;
pub mod record;
pub mod worker;
