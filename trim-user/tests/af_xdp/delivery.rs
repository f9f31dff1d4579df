//! Packets arrive whole, in order, at the right socket, with their tags.

use trim_common::strategy::Strategy;
use trim_user::kernel::bare::Hook;
use trim_user::kernel::clock;
use trim_user::kernel::xsk::{Options, XskMode};
use xtask::lab::VethOptions;

use crate::wire::{HEADER, Receiver, number_of, on_a_wire, one_queue, packet, sender, small};

/// Lengths around the least and the most that Ethernet carries, and around the sizes of cache lines.
const LENGTHS: [usize; 8] = [60, 61, 64, 127, 128, 1000, 1513, 1514];

fn packets_arrive_byte_for_byte(hook: Hook, options: Options) {
    let mut receiver = Receiver::open(1, hook, false, options);
    assert_eq!(receiver.queues[0].mode(), XskMode::Copy);
    let sender = sender();
    let count = LENGTHS.len() * 20;
    for number in 0..count {
        for strategy in Strategy::ALL {
            let length = LENGTHS[number % LENGTHS.len()];
            sender.send(&packet(strategy, number as u32, length)).unwrap();
        }
    }
    for strategy in Strategy::ALL {
        let frames = receiver.take(0, strategy, count);
        for (number, frame) in frames.iter().enumerate() {
            let expected = packet(strategy, number as u32, LENGTHS[number % LENGTHS.len()]);
            assert_eq!(
                receiver.queues[0].umem().bytes(frame),
                expected,
                "packet {number} of {strategy:?}"
            );
            assert_eq!(receiver.queues[0].umem().tag(frame), None);
        }
        receiver.give_back(0, frames);
    }
    receiver.settle(2 * count as u64);
    receiver.assert_nothing_leaked();
}

#[test]
fn native_packets_arrive_byte_for_byte_at_both_sockets_of_a_queue() {
    on_a_wire(
        "native_packets_arrive_byte_for_byte_at_both_sockets_of_a_queue",
        one_queue(),
        |_| {
            packets_arrive_byte_for_byte(Hook::Native, small());
        },
    );
}

#[test]
fn generic_packets_arrive_byte_for_byte_at_both_sockets_of_a_queue() {
    on_a_wire(
        "generic_packets_arrive_byte_for_byte_at_both_sockets_of_a_queue",
        one_queue(),
        |_| {
            packets_arrive_byte_for_byte(Hook::Generic, small());
        },
    );
}

#[test]
fn packets_arrive_with_headroom_and_large_frames() {
    on_a_wire("packets_arrive_with_headroom_and_large_frames", one_queue(), |_| {
        packets_arrive_byte_for_byte(
            Hook::Native,
            Options {
                frame_size: 4096,
                headroom: 64,
                ..small()
            },
        );
    });
}

#[test]
fn a_jumbo_packet_fits_into_a_large_frame() {
    let options = VethOptions {
        mtu: 3000,
        ..one_queue()
    };
    on_a_wire("a_jumbo_packet_fits_into_a_large_frame", options, |_| {
        let mut receiver = Receiver::open(
            1,
            Hook::Native,
            false,
            Options {
                frame_size: 4096,
                ..small()
            },
        );
        let jumbo = packet(Strategy::Scanning, 1, 3000 + HEADER);
        sender().send(&jumbo).unwrap();
        let frames = receiver.take(0, Strategy::Scanning, 1);
        assert_eq!(receiver.queues[0].umem().bytes(&frames[0]), jumbo);
        receiver.give_back(0, frames);
    });
}

/// An IPv4 UDP packet, whose ports decide the queue on veth.
fn flow_packet(number: u32) -> Vec<u8> {
    let strategy = Strategy::ALL[number as usize % Strategy::COUNT];
    let mut frame = packet(strategy, number, 60 + number as usize % 400);
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    let ip_length = (frame.len() - HEADER) as u16;
    let [high, low] = ip_length.to_be_bytes();
    let header = [0x45, 0, high, low, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    frame[HEADER..HEADER + 20].copy_from_slice(&header);
    frame[HEADER + 20..HEADER + 24].copy_from_slice(&number.to_be_bytes());
    frame
}

#[test]
fn every_queue_delivers_its_own_packets() {
    const QUEUES: u32 = 4;
    const COUNT: u32 = 400;
    let options = VethOptions {
        queues: QUEUES,
        mtu: 1500,
    };
    on_a_wire("every_queue_delivers_its_own_packets", options, |_| {
        let mut receiver = Receiver::open(QUEUES, Hook::Native, false, small());
        let sender = sender();
        let sent: Vec<_> = (0..COUNT).map(flow_packet).collect();
        sent.iter().for_each(|frame| sender.send(frame).unwrap());
        receiver.settle(COUNT.into());
        let mut arrived = Vec::new();
        for queue in 0..QUEUES as usize {
            let before = arrived.len();
            for strategy in Strategy::ALL {
                let frames = receiver.receive(queue, strategy, COUNT as usize);
                arrived.extend(
                    frames
                        .iter()
                        .map(|frame| receiver.queues[queue].umem().bytes(frame).to_vec()),
                );
                receiver.give_back(queue, frames);
            }
            assert!(arrived.len() > before, "no flow fell on queue {queue}");
        }
        let key = |frame: &Vec<u8>| u32::from_be_bytes(*frame[HEADER + 20..].first_chunk().unwrap());
        arrived.sort_by_key(key);
        assert_eq!(arrived, sent);
        receiver.assert_nothing_leaked();
    });
}

fn tags_are_read(hook: Hook) {
    let mut receiver = Receiver::open(1, hook, true, small());
    let sender = sender();
    let before = clock::monotonic();
    for strategy in Strategy::ALL {
        sender.send(&packet(strategy, 5, 777)).unwrap();
        let frames = receiver.take(0, strategy, 1);
        let tag = receiver.queues[0].umem().tag(&frames[0]).expect("a tag");
        assert_eq!((tag.original_length, tag.strategy), (777, strategy.index() as u8));
        assert!((before..=clock::monotonic()).contains(&tag.kernel_time), "{tag:?}");
        assert_eq!(receiver.queues[0].umem().bytes(&frames[0]), packet(strategy, 5, 777));
        receiver.give_back(0, frames);
    }
}

#[test]
fn native_tags_are_read_in_front_of_the_packet() {
    on_a_wire("native_tags_are_read_in_front_of_the_packet", one_queue(), |_| {
        tags_are_read(Hook::Native)
    });
}

#[test]
fn generic_tags_are_read_in_front_of_the_packet() {
    on_a_wire("generic_tags_are_read_in_front_of_the_packet", one_queue(), |_| {
        tags_are_read(Hook::Generic)
    });
}

#[test]
fn the_tag_of_an_earlier_packet_in_the_same_frame_is_not_taken_for_a_new_one() {
    let test = "the_tag_of_an_earlier_packet_in_the_same_frame_is_not_taken_for_a_new_one";
    on_a_wire(test, one_queue(), |_| {
        let options = Options {
            frame_count: 8,
            fill_ring: 8,
            ..small()
        };
        let mut receiver = Receiver::open(1, Hook::Native, true, options);
        let sender = sender();
        let round = |receiver: &mut Receiver, tagged: bool| {
            for number in 0..32 {
                sender.send(&packet(Strategy::Legacy, number, 100)).unwrap();
                let frames = receiver.take(0, Strategy::Legacy, 1);
                assert_eq!(
                    receiver.queues[0].umem().tag(&frames[0]).is_some(),
                    tagged,
                    "packet {number}"
                );
                assert_eq!(number_of(receiver.queues[0].umem().bytes(&frames[0])), number);
                receiver.give_back(0, frames);
            }
        };
        round(&mut receiver, true);
        receiver.replace_program(Hook::Native, false);
        round(&mut receiver, false);
    });
}
