//! Waiting for packets on all queues of a thread.

use std::hint::spin_loop;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use trim_common::strategy::Strategy;

use super::error::XskError;
use super::queue::Queue;
use crate::kernel::syscall;

/// How many looks at the rings go between two readings of the clock.
const LOOKS_PER_CLOCK: u32 = 64;

/// How a thread waits for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitMode {
    /// Never sleeps: least latency and dearest, for a core that has nothing else to do. A sleeping receiver makes the
    /// sender pay for waking it.
    Spin,
    /// Looks for this long, then sleeps.
    Adaptive {
        /// How long to look before sleeping.
        spin: Duration,
    },
    /// Sleeps at once.
    Poll,
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At least one RX ring has packets.
    Packets,
    /// The time is up, a signal came, or a queue has an error ([`Queue::take_error`]).
    Nothing,
}

/// Waits on the sockets of any number of queues.
#[derive(Debug)]
pub struct Waiter {
    mode: WaitMode,
    entries: Vec<libc::pollfd>,
}

impl Waiter {
    /// A waiter for up to `queues` queues; more make it allocate once.
    pub fn new(mode: WaitMode, queues: usize) -> Self {
        Self {
            mode,
            entries: Vec::with_capacity(queues * Strategy::COUNT),
        }
    }

    /// Waits until a packet is there, at most `timeout`.
    ///
    /// Frames that other threads give back do not end the wait. The caller keeps `timeout` short (a millisecond or so)
    /// while frames are handed out, because packets are lost when the fill ring runs dry.
    ///
    /// # Errors
    /// `ppoll(2)` fails for another reason than a signal.
    pub fn wait(&mut self, queues: &[Queue], timeout: Duration) -> Result<Wake, XskError> {
        let spin = match self.mode {
            WaitMode::Spin => timeout,
            WaitMode::Adaptive { spin } => spin.min(timeout),
            WaitMode::Poll => Duration::ZERO,
        };
        if look(queues, spin) {
            return Ok(Wake::Packets);
        }
        if self.mode == WaitMode::Spin {
            return Ok(Wake::Nothing);
        }
        self.sleep(queues, timeout - spin)
    }

    fn sleep(&mut self, queues: &[Queue], timeout: Duration) -> Result<Wake, XskError> {
        self.entries.clear();
        let sockets = queues
            .iter()
            .flat_map(|queue| Strategy::ALL.map(|strategy| queue.socket(strategy)));
        self.entries.extend(sockets.map(|fd| libc::pollfd {
            fd: fd.as_fd().as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        }));
        match syscall::poll(&mut self.entries, timeout) {
            Ok(_) if queues.iter().any(Queue::has_packets) => Ok(Wake::Packets),
            Ok(_) => Ok(Wake::Nothing),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Wake::Nothing),
            Err(source) => Err(XskError::Wait { source }),
        }
    }
}

/// Looks at the rings for as long as `patience`, once at least; true as soon as there is a packet.
fn look(queues: &[Queue], patience: Duration) -> bool {
    let mut started = None;
    loop {
        for _ in 0..LOOKS_PER_CLOCK {
            if queues.iter().any(Queue::has_packets) {
                return true;
            }
            if patience.is_zero() {
                return false;
            }
            spin_loop();
        }
        for queue in queues {
            queue.wake_if_needed();
        }
        if started.get_or_insert_with(Instant::now).elapsed() >= patience {
            return false;
        }
    }
}
