//! The data path: `capture -> dispatch -> trim -> sink`.

pub mod capture;
pub mod chunk;
pub mod exemplar;
mod format;
mod held;
mod interface;
pub mod live;
pub mod merge;
pub mod offline;
pub mod record;
pub mod sink;
pub mod worker;

pub use format::{Compression, Format};
pub use interface::{Interface, InterfaceOption, InterfaceStatistics, TimeResolution};
pub use record::Record;
