//! Where every packet went. Pure arithmetic on counters.

use serde::{Deserialize, Serialize};

/// Every packet the XDP program saw, by where it ended. All values are packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Accounts {
    /// Seen by the XDP program.
    pub seen: u64,
    /// Given to the network stack, because no socket took them.
    pub passed: u64,
    /// Left out by policy, in the kernel.
    pub omitted_by_kernel: u64,
    /// Left out by policy, by a trimmer.
    pub omitted_by_trimmer: u64,
    /// Lost, by place.
    pub lost: Lost,
    /// Written.
    pub written: u64,
    /// On their way between the kernel and the file, at this moment. 0 when the capture has ended.
    pub in_flight: u64,
}

/// Packets lost, by place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Lost {
    /// No socket took them, and `on_user_space_loss` is `drop`.
    pub no_socket: u64,
    /// The RX ring was full: the receiving thread was too slow.
    pub rx_ring_full: u64,
    /// There was no free frame: frames came back too slowly.
    pub fill_ring_empty: u64,
    /// The socket dropped them for another reason, such as a packet longer than a frame.
    pub rx_dropped: u64,
    /// The worker's queue was full.
    pub queue_full: u64,
    /// The output could not be written.
    pub write_failed: u64,
}

impl Lost {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.no_socket
            + self.rx_ring_full
            + self.fill_ring_empty
            + self.rx_dropped
            + self.queue_full
            + self.write_failed
    }
}

impl Accounts {
    /// Left out on purpose.
    pub const fn omitted(&self) -> u64 {
        self.omitted_by_kernel + self.omitted_by_trimmer
    }

    /// Packets seen less packets accounted for: 0, or the accounts are wrong.
    pub const fn balance(&self) -> i64 {
        let accounted = self.passed + self.omitted() + self.lost.total() + self.written + self.in_flight;
        self.seen.wrapping_sub(accounted).cast_signed()
    }

    /// What is on its way: taken from rings, or redirected and not yet taken, less what has ended.
    ///
    /// `redirected` were given to sockets, `received` were taken out of RX rings. The counters are read one after the
    /// other while packets flow, so nothing here may go below zero.
    pub fn settle_in_flight(&mut self, redirected: u64, received: u64) {
        let lost_at_sockets = self.lost.rx_ring_full + self.lost.fill_ring_empty + self.lost.rx_dropped;
        let in_rings = redirected.saturating_sub(lost_at_sockets + received);
        let ended = self.omitted_by_trimmer + self.lost.queue_full + self.lost.write_failed + self.written;
        self.in_flight = in_rings + received.saturating_sub(ended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts {
            seen: 100,
            passed: 1,
            omitted_by_kernel: 2,
            omitted_by_trimmer: 3,
            lost: Lost {
                no_socket: 4,
                rx_ring_full: 5,
                fill_ring_empty: 6,
                rx_dropped: 7,
                queue_full: 8,
                write_failed: 9,
            },
            written: 50,
            in_flight: 5,
        }
    }

    #[test]
    fn every_place_counts_once() {
        assert_eq!(accounts().balance(), 0);
        assert_eq!(accounts().lost.total(), 39);
    }

    #[test]
    fn a_packet_that_is_nowhere_shows_in_the_balance() {
        let mut accounts = accounts();
        accounts.written -= 1;
        assert_eq!(accounts.balance(), 1);
        accounts.written += 2;
        assert_eq!(accounts.balance(), -1);
    }

    #[test]
    fn packets_on_their_way_are_neither_lost_nor_written() {
        let mut accounts = accounts();
        // 93 redirected, 18 lost at the sockets, 73 received: 2 in rings; 70 of those received have ended.
        accounts.settle_in_flight(93, 73);
        assert_eq!(accounts.in_flight, 2 + 3);
    }
}
