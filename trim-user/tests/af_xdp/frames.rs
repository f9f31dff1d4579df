//! No frame is lost, used twice, or changed while it is held.

use std::panic::{AssertUnwindSafe, catch_unwind};

use trim_common::strategy::Strategy;
use trim_user::kernel::bare::Hook;
use trim_user::kernel::xsk::{Frame, Options};
use xtask::lab::VethOptions;

use crate::wire::{Receiver, number_of, on_a_wire, one_queue, packet, sender, small};

/// A small generator with a fixed seed, so that a failure can be repeated (Marsaglia's xorshift, 64 bits).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn assert_unchanged(receiver: &Receiver, strategy: Strategy, frame: &Frame) {
    let bytes = receiver.queues[0].umem().bytes(frame);
    assert_eq!(
        bytes,
        packet(strategy, number_of(bytes), bytes.len()),
        "a held packet changed"
    );
}

fn random_operation(hook: Hook, seed: u64) {
    let mut dice = Dice(seed);
    let mut receiver = Receiver::open(
        1,
        hook,
        true,
        Options {
            frame_count: 100,
            fill_ring: 64,
            rx_ring: 32,
            ..small()
        },
    );
    let sender = sender();
    let mut held: Vec<(Strategy, Frame)> = Vec::new();
    let mut sent = 0;
    for _ in 0..600 {
        for _ in 0..dice.below(40) {
            let strategy = Strategy::ALL[dice.below(Strategy::COUNT)];
            sender
                .send(&packet(strategy, sent as u32, 60 + dice.below(1400)))
                .unwrap();
            sent += 1;
        }
        let strategy = Strategy::ALL[dice.below(Strategy::COUNT)];
        let most = dice.below(50);
        held.extend(
            receiver
                .receive(0, strategy, most)
                .into_iter()
                .map(|frame| (strategy, frame)),
        );
        for _ in 0..dice.below(held.len() + 1) {
            let (strategy, frame) = held.swap_remove(dice.below(held.len()));
            assert_unchanged(&receiver, strategy, &frame);
            receiver.queues[0].recycle([frame]);
        }
        if dice.below(3) > 0 {
            receiver.queues[0].refill();
        }
    }
    receiver.settle(sent);
    let audit = receiver.queues[0].audit();
    assert!(audit.is_whole() && audit.handed_out == held.len() as u64, "{audit:?}");
    receiver.queues[0].recycle(held.into_iter().map(|(_, frame)| frame));
    for strategy in Strategy::ALL {
        let rest = receiver.receive(0, strategy, usize::MAX);
        rest.iter()
            .for_each(|frame| assert_unchanged(&receiver, strategy, frame));
        receiver.give_back(0, rest);
    }
    assert!(
        receiver.lost().total() > 0,
        "the rings were never under pressure: the test proves little"
    );
    receiver.assert_nothing_leaked();
}

#[test]
fn no_frame_leaks_or_changes_under_random_operation_in_native_mode() {
    on_a_wire(
        "no_frame_leaks_or_changes_under_random_operation_in_native_mode",
        one_queue(),
        |_| {
            for seed in [1, 0xdead_beef, 77_777] {
                random_operation(Hook::Native, seed);
            }
        },
    );
}

#[test]
fn no_frame_leaks_or_changes_under_random_operation_in_generic_mode() {
    on_a_wire(
        "no_frame_leaks_or_changes_under_random_operation_in_generic_mode",
        one_queue(),
        |_| {
            random_operation(Hook::Generic, 99);
        },
    );
}

#[test]
fn a_frame_that_is_dropped_instead_of_recycled_shows_in_the_audit() {
    on_a_wire(
        "a_frame_that_is_dropped_instead_of_recycled_shows_in_the_audit",
        one_queue(),
        |_| {
            let mut receiver = Receiver::open(1, Hook::Native, false, small());
            sender().send(&packet(Strategy::Legacy, 0, 60)).unwrap();
            drop(receiver.take(0, Strategy::Legacy, 1));
            let audit = receiver.queues[0].audit();
            assert_eq!(audit.handed_out, 1, "{audit:?}");
        },
    );
}

#[test]
fn a_frame_of_another_queue_is_not_taken_back() {
    let options = VethOptions { queues: 2, mtu: 1500 };
    on_a_wire("a_frame_of_another_queue_is_not_taken_back", options, |_| {
        let mut receiver = Receiver::open(2, Hook::Native, false, small());
        sender().send(&packet(Strategy::Legacy, 0, 60)).unwrap();
        receiver.settle(1);
        let from = (0..2).find(|&queue| receiver.queues[queue].has_packets()).unwrap();
        let frames = receiver.take(from, Strategy::Legacy, 1);
        let refused = catch_unwind(AssertUnwindSafe(|| receiver.give_back(1 - from, frames))).unwrap_err();
        let message = refused.downcast_ref::<String>().unwrap();
        assert!(message.contains("belongs to another pool"), "{message}");
    });
}
