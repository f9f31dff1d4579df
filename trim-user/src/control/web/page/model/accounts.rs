//! Where every packet went.

use crate::control::figures;
use crate::control::status::Status;

/// A place where packets end.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    /// What it means, in words.
    pub(crate) meaning: &'static str,
    pub(crate) packets: String,
    pub(crate) share: String,
    /// Whether something is there that should not be.
    pub(crate) is_bad: bool,
}

/// Where every packet went since the capture began.
pub(crate) struct Accounts {
    pub(crate) seen: String,
    pub(crate) places: Vec<Place>,
    pub(crate) lost: String,
    pub(crate) losses: Vec<Place>,
    pub(crate) has_lost: bool,
    pub(crate) balance: String,
    pub(crate) is_even: bool,
}

impl Accounts {
    pub(super) fn of(status: &Status) -> Self {
        let accounts = &status.accounts;
        let lost = &accounts.lost;
        let place = |name, packets: u64, meaning| Place {
            name,
            meaning,
            packets: figures::number(packets),
            share: figures::share(packets, accounts.seen),
            is_bad: false,
        };
        let loss = |name, packets: u64, meaning| Place {
            is_bad: packets > 0,
            ..place(name, packets, meaning)
        };
        Self {
            seen: figures::number(accounts.seen),
            places: vec![
                place("written", accounts.written, "in the output files"),
                place("omitted", accounts.omitted(), "left out on purpose, by policy"),
                place("passed", accounts.passed, "given to the network stack"),
                place("in flight", accounts.in_flight, "between the kernel and the file"),
            ],
            lost: format!(
                "{} ({})",
                figures::counted(lost.total(), "packet"),
                figures::share(lost.total(), accounts.seen)
            ),
            losses: vec![
                loss("no_socket", lost.no_socket, "no socket took them"),
                loss("rx_ring_full", lost.rx_ring_full, "the receiving thread was too slow"),
                loss("fill_ring_empty", lost.fill_ring_empty, "frames came back too slowly"),
                loss("rx_dropped", lost.rx_dropped, "dropped by the socket, such as too long"),
                loss("queue_full", lost.queue_full, "the worker was too slow"),
                loss("write_failed", lost.write_failed, "the file could not be written"),
            ],
            has_lost: lost.total() > 0,
            balance: figures::counted(status.balance.unsigned_abs(), "packet"),
            is_even: status.balance == 0,
        }
    }
}
