//! Opening, closing, waiting, and links that go up, down and away.

use std::thread;
use std::time::Duration;

use trim_common::strategy::Strategy;
use trim_user::kernel::bare::Hook;
use trim_user::kernel::nic::{LinkMonitor, LinkState, index_of};
use trim_user::kernel::xsk::{BindMode, Options, Queue, WaitMode, Waiter, Wake};

use crate::wire::{PATIENCE, Receiver, on_a_wire, one_queue, packet, sender, small, wait_until};

/// "Operation not supported" (include/uapi/asm-generic/errno.h).
const EOPNOTSUPP: i32 = 95;

#[test]
fn a_queue_can_be_opened_again_right_after_it_was_closed() {
    on_a_wire(
        "a_queue_can_be_opened_again_right_after_it_was_closed",
        one_queue(),
        |_| {
            let mut receiver = Receiver::open(1, Hook::Native, false, small());
            let near = index_of("near").unwrap();
            for number in 0..10 {
                receiver.queues.clear();
                receiver
                    .queues
                    .push(Queue::open(near, 0, small().check(1500).unwrap()).unwrap());
                receiver.connect();
                let sent = packet(Strategy::Scanning, number, 80);
                sender().send(&sent).unwrap();
                let frames = receiver.take(0, Strategy::Scanning, 1);
                assert_eq!(receiver.queues[0].umem().bytes(&frames[0]), sent);
                receiver.give_back(0, frames);
            }
        },
    );
}

#[test]
fn packets_held_when_their_queue_is_closed_stay_readable() {
    on_a_wire(
        "packets_held_when_their_queue_is_closed_stay_readable",
        one_queue(),
        |_| {
            let mut receiver = Receiver::open(1, Hook::Native, false, small());
            let sent = packet(Strategy::Legacy, 3, 500);
            sender().send(&sent).unwrap();
            let frames = receiver.take(0, Strategy::Legacy, 1);
            let umem = receiver.queues[0].umem().clone();
            drop(receiver);
            assert_eq!(umem.bytes(&frames[0]), sent);
        },
    );
}

#[test]
fn refusals_say_what_to_do() {
    on_a_wire("refusals_say_what_to_do", one_queue(), |_| {
        let near = index_of("near").unwrap();
        let open = |queue, bind| Queue::open(near, queue, Options { bind, ..small() }.check(1500).unwrap());
        let error = open(1, BindMode::Copy).unwrap_err().to_string();
        assert!(
            error.contains("queue 1") && error.contains("the queue does not exist"),
            "{error}"
        );
        let error = open(0, BindMode::ZeroCopy).unwrap_err().to_string();
        assert!(
            error.contains("zero_copy") && error.contains("set bind to auto or copy"),
            "{error}"
        );
        let queue = open(0, BindMode::Auto).unwrap();
        let refusal = queue.zero_copy_refusal().expect("veth has no zero-copy");
        assert_eq!(refusal.raw_os_error(), Some(EOPNOTSUPP));
        let error = open(0, BindMode::Copy).unwrap_err().to_string();
        assert!(
            error.contains("another program has AF_XDP sockets on this queue"),
            "{error}"
        );
    });
}

fn a_packet_ends_the_wait(mode: WaitMode) {
    let mut receiver = Receiver::open(1, Hook::Native, false, small());
    let mut waiter = Waiter::new(mode, 1);
    let nothing = waiter.wait(&receiver.queues, Duration::from_millis(20)).unwrap();
    assert_eq!(nothing, Wake::Nothing);
    let sender = sender();
    for strategy in Strategy::ALL {
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(20));
                sender.send(&packet(strategy, 1, 60)).unwrap();
            });
            assert_eq!(waiter.wait(&receiver.queues, PATIENCE).unwrap(), Wake::Packets);
        });
        let frames = receiver.take(0, strategy, 1);
        receiver.give_back(0, frames);
    }
}

#[test]
fn a_packet_ends_the_wait_in_every_mode() {
    on_a_wire("a_packet_ends_the_wait_in_every_mode", one_queue(), |_| {
        let adaptive = WaitMode::Adaptive {
            spin: Duration::from_micros(50),
        };
        for mode in [WaitMode::Spin, adaptive, WaitMode::Poll] {
            a_packet_ends_the_wait(mode);
        }
    });
}

#[test]
fn packets_come_again_when_the_link_was_down_and_is_up() {
    on_a_wire(
        "packets_come_again_when_the_link_was_down_and_is_up",
        one_queue(),
        |namespace| {
            let mut receiver = Receiver::open(1, Hook::Native, false, small());
            let mut monitor = LinkMonitor::open(index_of("near").unwrap()).unwrap();
            assert_eq!(monitor.state(), LinkState::Up);
            assert_eq!(monitor.changed().unwrap(), None);
            let sender = sender();
            for number in 0..3 {
                namespace.ip("link set near down").unwrap();
                wait_until("the link is reported down", || {
                    monitor.changed().unwrap() == Some(LinkState::Down)
                });
                assert!(
                    receiver.queues[0].take_error().is_none(),
                    "a link that is down is no error"
                );
                namespace.ip("link set near up").unwrap();
                wait_until("the link is reported up", || {
                    monitor.changed().unwrap();
                    monitor.state() == LinkState::Up
                });
                // The far end gets its carrier and its queue back a moment later; what is sent before is lost, and not
                // always with an error.
                let sent = packet(Strategy::Legacy, number, 99);
                let mut frames = Vec::new();
                wait_until("packets come again", || {
                    let _ = sender.send(&sent);
                    frames.extend(receiver.receive(0, Strategy::Legacy, 1));
                    let bytes = |frame| receiver.queues[0].umem().bytes(frame) == sent;
                    frames.last().is_some_and(bytes)
                });
                frames.extend(receiver.receive(0, Strategy::Legacy, 64));
                receiver.give_back(0, frames);
            }
            receiver.assert_nothing_leaked();
        },
    );
}

#[test]
fn a_far_end_that_goes_down_is_a_lost_carrier() {
    on_a_wire("a_far_end_that_goes_down_is_a_lost_carrier", one_queue(), |namespace| {
        let mut monitor = LinkMonitor::open(index_of("near").unwrap()).unwrap();
        namespace.ip("link set far down").unwrap();
        wait_until("the carrier is lost", || {
            monitor.changed().unwrap() == Some(LinkState::NoCarrier)
        });
    });
}

#[test]
fn a_removed_interface_is_an_error_once_and_what_was_received_stays() {
    on_a_wire(
        "a_removed_interface_is_an_error_once_and_what_was_received_stays",
        one_queue(),
        |namespace| {
            let mut receiver = Receiver::open(1, Hook::Native, false, small());
            let mut monitor = LinkMonitor::open(index_of("near").unwrap()).unwrap();
            let sent = packet(Strategy::Legacy, 8, 300);
            sender().send(&sent).unwrap();
            receiver.settle(1);
            namespace.ip("link del near").unwrap();
            wait_until("the interface is reported gone", || {
                monitor.changed().unwrap() == Some(LinkState::Gone)
            });
            let error = receiver.queues[0].take_error().expect("the sockets know");
            assert_eq!(error.kind(), std::io::ErrorKind::NetworkDown, "{error}");
            assert!(receiver.queues[0].take_error().is_none());
            let frames = receiver.take(0, Strategy::Legacy, 1);
            assert_eq!(receiver.queues[0].umem().bytes(&frames[0]), sent);
            receiver.give_back(0, frames);
            let mut waiter = Waiter::new(WaitMode::Poll, 1);
            assert_eq!(
                waiter.wait(&receiver.queues, Duration::from_millis(5)).unwrap(),
                Wake::Nothing
            );
            assert_eq!(receiver.lost().total(), 0);
            receiver.assert_nothing_leaked();
        },
    );
}
