//! Every lost packet is counted once, at the place where it was lost.

use trim_common::strategy::Strategy;
use trim_user::kernel::bare::Hook;
use trim_user::kernel::xsk::{Options, QueueLoss};
use xtask::lab::Namespace;

use crate::wire::{HEADER, Receiver, on_a_wire, one_queue, packet, sender, small};

/// Sends `each` packets per strategy, in turns, to a receiver that takes none.
fn flood(each: u32) {
    let sender = sender();
    for number in 0..each {
        for strategy in Strategy::ALL {
            sender.send(&packet(strategy, number, 200)).unwrap();
        }
    }
}

fn full_rx_rings(hook: Hook) {
    let mut receiver = Receiver::open(1, hook, false, Options { rx_ring: 64, ..small() });
    assert!(!receiver.queues[0].is_short(), "there is room");
    flood(1000);
    receiver.settle(2000);
    let expected = QueueLoss {
        rx_ring_full: 2 * (1000 - 64),
        ..QueueLoss::default()
    };
    assert_eq!(receiver.lost(), expected);
    assert!(receiver.queues[0].is_short(), "packets are lost");
    // What was there before the rings were full is still there and unharmed.
    for strategy in Strategy::ALL {
        let frames = receiver.take(0, strategy, 64);
        for (number, frame) in frames.iter().enumerate() {
            assert_eq!(
                receiver.queues[0].umem().bytes(frame),
                packet(strategy, number as u32, 200)
            );
        }
        receiver.give_back(0, frames);
    }
    assert!(!receiver.queues[0].is_short(), "there is room again");
    receiver.assert_nothing_leaked();
}

#[test]
fn every_packet_lost_to_a_full_rx_ring_is_counted_once_in_native_mode() {
    let test = "every_packet_lost_to_a_full_rx_ring_is_counted_once_in_native_mode";
    on_a_wire(test, one_queue(), |_| full_rx_rings(Hook::Native));
}

#[test]
fn every_packet_lost_to_a_full_rx_ring_is_counted_once_in_generic_mode() {
    let test = "every_packet_lost_to_a_full_rx_ring_is_counted_once_in_generic_mode";
    on_a_wire(test, one_queue(), |_| full_rx_rings(Hook::Generic));
}

fn empty_fill_ring(hook: Hook) {
    let mut receiver = Receiver::open(
        1,
        hook,
        false,
        Options {
            frame_count: 32,
            ..small()
        },
    );
    flood(1000);
    receiver.settle(2000);
    let expected = QueueLoss {
        fill_ring_empty: 2000 - 32,
        ..QueueLoss::default()
    };
    assert_eq!(receiver.lost(), expected);
    assert!(receiver.queues[0].is_short(), "the kernel has no frame");
    let raw = receiver.queues[0].statistics().unwrap().sockets;
    for (socket, strategy) in raw.iter().zip(Strategy::ALL) {
        assert_eq!(
            socket.rx_dropped,
            1000 - 16,
            "the socket of {strategy:?} counts its own packets"
        );
        assert_eq!(socket.fill_ring_empty, 2000 - 32, "and reports the counter of the pool");
    }
    for strategy in Strategy::ALL {
        let frames = receiver.take(0, strategy, 16);
        receiver.give_back(0, frames);
    }
    receiver.assert_nothing_leaked();
}

#[test]
fn every_packet_lost_to_an_empty_fill_ring_is_counted_once_in_native_mode() {
    let test = "every_packet_lost_to_an_empty_fill_ring_is_counted_once_in_native_mode";
    on_a_wire(test, one_queue(), |_| empty_fill_ring(Hook::Native));
}

#[test]
fn every_packet_lost_to_an_empty_fill_ring_is_counted_once_in_generic_mode() {
    let test = "every_packet_lost_to_an_empty_fill_ring_is_counted_once_in_generic_mode";
    on_a_wire(test, one_queue(), |_| empty_fill_ring(Hook::Generic));
}

fn too_long_packets(namespace: &Namespace, hook: Hook) {
    let receiver = Receiver::open(1, hook, false, small());
    for interface in ["near", "far"] {
        namespace.ip(&format!("link set {interface} mtu 2500")).unwrap();
    }
    let sender = sender();
    for number in 0..10 {
        sender.send(&packet(Strategy::Legacy, number, 1792)).unwrap();
        sender.send(&packet(Strategy::Legacy, number, 1793)).unwrap();
        sender.send(&packet(Strategy::Scanning, number, 2500 + HEADER)).unwrap();
    }
    receiver.settle(30);
    assert_eq!(
        receiver.lost(),
        QueueLoss {
            other_dropped: 20,
            ..QueueLoss::default()
        }
    );
    assert_eq!(
        receiver.queues[0].audit().rx_rings,
        10,
        "those that just fit have arrived"
    );
}

#[test]
fn every_packet_longer_than_a_frame_is_counted_once_in_native_mode() {
    let test = "every_packet_longer_than_a_frame_is_counted_once_in_native_mode";
    on_a_wire(test, one_queue(), |namespace| too_long_packets(namespace, Hook::Native));
}

#[test]
fn every_packet_longer_than_a_frame_is_counted_once_in_generic_mode() {
    let test = "every_packet_longer_than_a_frame_is_counted_once_in_generic_mode";
    on_a_wire(test, one_queue(), |namespace| {
        too_long_packets(namespace, Hook::Generic)
    });
}

#[test]
fn losses_at_several_places_add_up_to_the_packets_that_did_not_arrive() {
    let test = "losses_at_several_places_add_up_to_the_packets_that_did_not_arrive";
    on_a_wire(test, one_queue(), |_| {
        // One socket's ring is filled first; the frames of the pool run out on the other one.
        let mut receiver = Receiver::open(
            1,
            Hook::Native,
            false,
            Options {
                frame_count: 96,
                rx_ring: 64,
                ..small()
            },
        );
        let sender = sender();
        for strategy in [Strategy::Scanning, Strategy::Legacy] {
            for number in 0..500 {
                sender.send(&packet(strategy, number, 300)).unwrap();
            }
        }
        receiver.settle(1000);
        // The frame whose packet found the ring full stays with the kernel and takes the next packet that fits.
        let expected = QueueLoss {
            rx_ring_full: 500 - 64,
            fill_ring_empty: 500 - 32,
            other_dropped: 0,
        };
        assert_eq!(receiver.lost(), expected);
        let reader = receiver.queues[0].statistics_reader().unwrap();
        let elsewhere = std::thread::spawn(move || reader.read().unwrap()).join().unwrap();
        assert_eq!(elsewhere.loss(), expected);
        for (strategy, count) in [(Strategy::Scanning, 64), (Strategy::Legacy, 32)] {
            let frames = receiver.take(0, strategy, count);
            receiver.give_back(0, frames);
        }
        receiver.assert_nothing_leaked();
    });
}
