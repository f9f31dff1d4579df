//! To which socket, and what happens without one.

use trim_common::judge::Steered;
use trim_common::reason::Reason;
use trim_common::strategy::{Mode, Split, Strategy};
use trim_user::kernel::{netns, nic};
use xtask::lab::{Namespace, VethOptions, VethPair};

use crate::frames::{ACK, Frame};
use crate::rig::{Rig, SETUP, can_run};

fn segment() -> Vec<u8> {
    let host = |last| (std::net::Ipv4Addr::new(10, 0, 0, last), 80);
    Frame::tcp(host(1), host(2), ACK, b"").make().bytes
}

#[test]
fn without_its_own_socket_a_packet_goes_to_the_other_one() {
    if !can_run("without_its_own_socket_a_packet_goes_to_the_other_one") {
        return;
    }
    let mut rig = Rig::new();
    rig.switch(Mode::Scanning, Split::ALL);
    assert_eq!(rig.run(&segment()).1.steered, Steered::Socket(Strategy::Scanning));
    rig.close_socket(0, Strategy::Scanning);
    let (_, outcome) = rig.run(&segment());
    assert_eq!(outcome.steered, Steered::Socket(Strategy::Legacy));
    assert!(outcome.reasons.contains(Reason::OtherSocket));
}

#[test]
fn without_any_socket_packets_pass_or_drop_as_configured() {
    if !can_run("without_any_socket_packets_pass_or_drop_as_configured") {
        return;
    }
    let mut rig = Rig::new();
    for strategy in Strategy::ALL {
        rig.close_socket(0, strategy);
    }
    assert_eq!(rig.run(&segment()).1.steered, Steered::Pass);
    let mut setup = SETUP;
    setup.drop_without_socket = 1;
    rig.setup(setup);
    let (_, outcome) = rig.run(&segment());
    assert_eq!(outcome.steered, Steered::Drop);
    assert!(outcome.reasons.contains(Reason::DroppedNoSocket));
    rig.open_socket(0, Strategy::Scanning);
    assert_eq!(rig.run(&segment()).1.steered, Steered::Socket(Strategy::Scanning));
}

#[test]
fn each_queue_has_its_own_sockets_and_no_queue_beyond_them_is_used() {
    if !can_run("each_queue_has_its_own_sockets_and_no_queue_beyond_them_is_used") {
        return;
    }
    let namespace = Namespace::new("queues").unwrap();
    let options = VethOptions {
        queues: 3,
        ..VethOptions::default()
    };
    VethPair::silent((&namespace, "many"), (&namespace, "far"), options).unwrap();
    netns::run_in(&namespace.path(), || {
        let mut rig = Rig::new();
        rig.arrival.interface = nic::index_of("many").unwrap();
        let mut setup = SETUP;
        setup.queues = 2;
        rig.setup(setup);
        rig.open_socket(1, Strategy::Legacy);
        rig.open_socket(2, Strategy::Legacy);
        for queue in 0..2 {
            rig.arrival.queue = queue;
            assert_eq!(rig.run(&segment()).1.steered, Steered::Socket(Strategy::Legacy));
        }
        rig.close_socket(0, Strategy::Legacy);
        rig.close_socket(0, Strategy::Scanning);
        rig.arrival.queue = 0;
        assert_eq!(rig.run(&segment()).1.steered, Steered::Pass, "never across queues");
        rig.arrival.queue = 2;
        let (_, outcome) = rig.run(&segment());
        assert!(outcome.reasons.contains(Reason::QueueOutOfRange));
        assert_eq!(outcome.steered, Steered::Pass);
    })
    .unwrap();
}

#[test]
fn a_packet_with_metadata_of_somebody_else_is_steered_untagged() {
    if !can_run("a_packet_with_metadata_of_somebody_else_is_steered_untagged") {
        return;
    }
    for length in [4, 32] {
        let mut rig = Rig::new();
        rig.arrival.metadata = length;
        let mut input = vec![0xee; length as usize];
        input.extend(segment());
        let ran = rig.program.test_run(&input, rig.arrival).unwrap();
        let counts = rig.maps.counters.read().unwrap();
        assert_eq!((ran.tag(), counts.get(Reason::Untagged)), (None, 1), "{length} bytes");
        assert_eq!(counts.get(Reason::RedirectedLegacy), 1);
        assert_eq!(ran.frame, segment());
    }
}
