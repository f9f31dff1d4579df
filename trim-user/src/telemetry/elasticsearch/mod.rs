//! Metrics and events as documents for Elasticsearch.
//!
//! A thread of its own makes a document now and then, keeps it on disk until a server has taken it, and sends what is kept
//! in batches to the bulk API. Nothing here is near the path of packets, and nothing waits for it.

mod bulk;
mod client;
mod counts;
mod document;
mod settings;
mod shipper;
mod spool;

pub use bulk::Record;
pub use counts::{Counts, Tally};
pub use document::Reporter;
pub use settings::{Credentials, ElasticsearchSettings};
pub use shipper::{Shipper, Source};
