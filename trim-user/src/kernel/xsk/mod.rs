//! AF_XDP: packets of one RX queue, in frames shared with the kernel.
//!
//! A [`Queue`] owns a frame pool ([`Umem`]) and one socket per strategy; the XDP program chooses the socket. Received
//! packets are [`Frame`]s, descriptors of 8 bytes that travel through channels; their bytes are read through the pool
//! and the frame ends in [`Queue::recycle`]. [`Waiter`] waits on all queues of a thread. Nothing on the way of a packet
//! makes a system call, except waking a driver that asked for it and sleeping when there is nothing to do.
//!
//! Follows the kernel's Documentation/networking/af_xdp.rst and net/xdp/.

mod audit;
mod error;
mod frame;
mod memory;
mod queue;
mod rings;
mod settings;
mod socket;
mod statistics;
mod umem;
mod wait;

pub use audit::Audit;
pub use error::XskError;
pub use frame::Frame;
pub use memory::pool_bytes;
pub use queue::Queue;
pub use settings::{BindMode, BusyPoll, HugePages, KERNEL_HEADROOM, Options, Settings};
pub use socket::XskMode;
pub use statistics::{QueueLoss, QueueStatistics, SocketStatistics, StatisticsReader};
pub use umem::Umem;
pub use wait::{WaitMode, Waiter, Wake};
