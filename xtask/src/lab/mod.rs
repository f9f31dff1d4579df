//! A network of namespaces on one machine: a web server, a client, and a mirror of their traffic such as a SPAN port
//! would give.
//!
//! Everything made here is taken away again: when its guard is dropped (at the end, on an error, in a panic), on
//! Ctrl-C and the other termination signals, and, after a SIGKILL, by the next program that makes a namespace.

mod browser;
mod cleanup;
mod client;
mod namespace;
mod nginx;
mod process;
mod root;
mod span;
mod tcpdump;
mod veth;

pub use browser::{Browser, Look};
pub use cleanup::Folder;
pub use client::{Client, Exchange};
pub use namespace::Namespace;
pub use rustix::process::Signal;

pub use nginx::{Nginx, Site};
pub use process::{Process, wait_until};
pub use root::{SKIP_LOG, lacking_privilege, require_root, skip};
pub use span::{Link, Span, SpanOptions};
pub use tcpdump::{Tcpdump, TcpdumpCounts};
pub use veth::{VethOptions, VethPair, offloads_off};
