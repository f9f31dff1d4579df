//! Alerts: who is told what, when, and by which way.
//!
//! [`engine`] decides, and does nothing else; the rest carries messages out and keeps them until they have arrived.

pub(crate) mod backoff;
mod center;
pub mod channel;
mod courier;
mod desk;
pub mod engine;
pub mod known;
pub mod matcher;
pub mod message;
pub mod notice;
mod render;
pub mod rules;
pub mod secret;
pub(crate) mod spool;
pub mod time;
pub mod view;

pub use center::{AlertCenter, AlertSettings};
pub use desk::AlertDesk;
pub use notice::{Level, Notice};
pub use spool::QueueBounds;
pub use time::Time;

/// This machine's name, as messages show it.
pub fn host_name() -> String {
    let name = rustix::system::uname();
    name.nodename().to_string_lossy().into_owned()
}
