//! The section `alerts`.

mod channels;
pub(super) mod raw;
mod resolve;

pub(super) use resolve::resolve;
