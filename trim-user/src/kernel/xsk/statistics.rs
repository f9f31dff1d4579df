//! What the kernel counts for AF_XDP sockets, and what it means in packets.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use trim_common::strategy::Strategy;

use super::error::XskError;
use super::socket::XskMode;
use crate::kernel::syscall;

/// The receive counters of one socket as the kernel reports them (`XDP_STATISTICS`), since the socket was bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketStatistics {
    /// Packets dropped because there was no frame for them or because they were longer than a frame.
    pub rx_dropped: u64,
    /// Packets dropped because the RX ring was full.
    pub rx_ring_full: u64,
    /// How often the kernel found the fill ring empty. A counter of the pool: every socket on it reports the same.
    pub fill_ring_empty: u64,
}

impl SocketStatistics {
    pub(super) fn read(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let raw: libc::xdp_statistics = syscall::option(fd, libc::SOL_XDP, libc::XDP_STATISTICS)?;
        Ok(Self {
            rx_dropped: raw.rx_dropped,
            rx_ring_full: raw.rx_ring_full,
            fill_ring_empty: raw.rx_fill_ring_empty_descs,
        })
    }

    /// Redirected packets that did not reach this socket's RX ring.
    pub const fn lost(&self) -> u64 {
        self.rx_dropped + self.rx_ring_full
    }
}

/// The counters of all sockets of one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueStatistics {
    /// One entry per strategy, by [`Strategy::index`].
    pub sockets: [SocketStatistics; Strategy::COUNT],
    /// How packets get into the pool; it decides what `fill_ring_empty` counts.
    pub mode: XskMode,
}

/// Packets that were redirected to the sockets of one queue and did not arrive, by place.
///
/// The sum of the three is exact: the number of packets that the XDP program redirected to these sockets while they
/// were bound, less the packets that appeared in their RX rings. What the kernel does (net/xdp/xsk.c, checked on 6.18 by
/// the tests `every_packet_lost_...` of `tests/af_xdp.rs`):
///
/// - RX ring full: only `rx_ring_full` of that socket counts, once per packet. The frame goes back to the kernel's
///   own list for the pool (`xsk_buff_free`) and serves the next packet.
/// - Copy mode, no frame in the fill ring: `rx_dropped` of that socket counts the packet (`__xsk_rcv`) *and* the fill
///   ring's own counter does (`__xp_alloc`), which every socket of the pool reports as its
///   `rx_fill_ring_empty_descs`. Adding the three counters of each socket, as is often done, counts such a packet once
///   plus once per socket. Here it counts once, as `fill_ring_empty`.
/// - A packet longer than a frame: `rx_dropped` alone (`xsk_rcv_check`); it is the whole of `other_dropped`.
/// - Zero-copy: frames are taken before there are packets, so an empty fill ring is not a packet, and packets that
///   the device cannot store never reach XDP; the interface's own counters have them. `fill_ring_empty` is 0 then.
/// - Not counted anywhere: packets redirected to a socket of another queue or to one that is not bound. The first
///   never happens with a steering index made from the packet's own queue; closing a socket takes it out of the map
///   before it is unbound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLoss {
    /// Packets that found the RX ring of their socket full: the receiving thread was too slow.
    pub rx_ring_full: u64,
    /// Packets that found no frame: frames came back too slowly, or there are too few.
    pub fill_ring_empty: u64,
    /// Packets dropped for another reason: longer than a frame.
    pub other_dropped: u64,
}

impl QueueLoss {
    /// All packets lost on this queue.
    pub const fn total(&self) -> u64 {
        self.rx_ring_full + self.fill_ring_empty + self.other_dropped
    }
}

impl std::ops::AddAssign for QueueLoss {
    fn add_assign(&mut self, other: Self) {
        self.rx_ring_full += other.rx_ring_full;
        self.fill_ring_empty += other.fill_ring_empty;
        self.other_dropped += other.other_dropped;
    }
}

impl QueueStatistics {
    /// The lost packets by place, each exactly once.
    ///
    /// While traffic flows the counters are not read at one instant: a few packets may then stand under another
    /// place than in the next reading; the total is never wrong.
    pub fn loss(&self) -> QueueLoss {
        let sum = |counter: fn(&SocketStatistics) -> u64| self.sockets.iter().map(counter).sum::<u64>();
        let dropped = sum(|socket| socket.rx_dropped);
        let empty = match self.mode {
            XskMode::Copy => self
                .sockets
                .iter()
                .map(|socket| socket.fill_ring_empty)
                .max()
                .unwrap_or(0)
                .min(dropped),
            XskMode::ZeroCopy => 0,
        };
        QueueLoss {
            rx_ring_full: sum(|socket| socket.rx_ring_full),
            fill_ring_empty: empty,
            other_dropped: dropped - empty,
        }
    }
}

/// Reads the counters of a queue from any thread.
///
/// It holds descriptors of the queue's sockets: the queue is only released when its reader is dropped as well.
#[derive(Debug)]
pub struct StatisticsReader {
    pub(super) sockets: [OwnedFd; Strategy::COUNT],
    pub(super) mode: XskMode,
}

impl StatisticsReader {
    /// The counters now.
    ///
    /// # Errors
    /// Whatever `getsockopt(2)` reports.
    pub fn read(&self) -> Result<QueueStatistics, XskError> {
        let mut sockets = [SocketStatistics::default(); Strategy::COUNT];
        for (statistics, fd) in sockets.iter_mut().zip(&self.sockets) {
            *statistics = SocketStatistics::read(fd.as_fd()).map_err(|source| XskError::Statistics { source })?;
        }
        Ok(QueueStatistics {
            sockets,
            mode: self.mode,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(rx_dropped: u64, rx_ring_full: u64, fill_ring_empty: u64) -> SocketStatistics {
        SocketStatistics {
            rx_dropped,
            rx_ring_full,
            fill_ring_empty,
        }
    }

    #[test]
    fn a_packet_without_a_frame_counts_once_although_three_counters_have_it() {
        let statistics = QueueStatistics {
            sockets: [socket(5, 1, 9), socket(6, 2, 9)],
            mode: XskMode::Copy,
        };
        let loss = statistics.loss();
        assert_eq!(
            loss,
            QueueLoss {
                rx_ring_full: 3,
                fill_ring_empty: 9,
                other_dropped: 2
            }
        );
        assert_eq!(
            loss.total(),
            statistics.sockets.iter().map(SocketStatistics::lost).sum::<u64>()
        );
    }

    #[test]
    fn counters_read_while_they_move_never_go_below_zero() {
        let statistics = QueueStatistics {
            sockets: [socket(5, 0, 7), socket(0, 0, 8)],
            mode: XskMode::Copy,
        };
        assert_eq!(
            statistics.loss(),
            QueueLoss {
                rx_ring_full: 0,
                fill_ring_empty: 5,
                other_dropped: 0
            }
        );
    }

    #[test]
    fn an_empty_fill_ring_is_no_packet_in_zero_copy_mode() {
        let statistics = QueueStatistics {
            sockets: [socket(1, 0, 7), socket(0, 0, 7)],
            mode: XskMode::ZeroCopy,
        };
        assert_eq!(
            statistics.loss(),
            QueueLoss {
                rx_ring_full: 0,
                fill_ring_empty: 0,
                other_dropped: 1
            }
        );
    }
}
