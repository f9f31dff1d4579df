//! The body cut: which segments come without their payload, in the kernel and by the twin.

use std::net::Ipv4Addr;

use trim_common::cut::{CutKey, CutRange};
use trim_common::headers::dissect;
use trim_common::maps::Setup;
use trim_common::reason::Reason;
use trim_common::strategy::{Mode, Split, Strategy};
use trim_common::tag::flags;
use trim_user::kernel::clock;

use super::frames::{ACK, Frame, SYN, SYN_ACK};
use super::rig::{Rig, SETUP, can_run};

const CLIENT: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 1), 40_000);
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 0, 0, 2), 80);
const CUTTING: Setup = Setup { cut: 1, ..SETUP };

/// A program that cuts, with a connection on a port that is HTTP.
fn cutting(test: &str) -> Option<Rig> {
    if !can_run(test) {
        return None;
    }
    let mut rig = Rig::new();
    rig.setup(CUTTING);
    rig.ports(&[80]);
    rig.run(&open().make().bytes);
    rig.run(&open().reply(SYN_ACK, b"").sequence(999).make().bytes);
    Some(rig)
}

fn open() -> Frame {
    Frame::tcp(CLIENT, SERVER, SYN, b"")
}

/// A segment of an answer.
fn body(sequence: u32, length: usize) -> Frame {
    Frame::tcp(SERVER, CLIENT, ACK, &vec![b'b'; length]).sequence(sequence)
}

/// Publishes what a trimmer learned at this moment of the server's direction.
fn publish(rig: &mut Rig, from: u32, length: u32) {
    publish_learned(rig, from, length, clock::monotonic());
}

fn publish_learned(rig: &mut Rig, from: u32, length: u32, learned: u64) {
    let tcp = dissect(&body(0, 1).make().bytes[..]).tcp;
    let key = CutKey::new(tcp.key, tcp.direction);
    rig.publish(key, CutRange::new(tcp.key.hash(SETUP.seed), from, length, learned));
}

/// Whether a frame comes without its payload; the rig has compared program and twin.
fn is_cut(rig: &mut Rig, frame: &Frame) -> bool {
    let made = frame.make();
    let (ran, outcome) = rig.run(&made.bytes);
    let is_cut = outcome.reasons.contains(Reason::BodyCut);
    let tag = ran.tag();
    assert_eq!(is_cut, tag.is_some_and(|tag| tag.flags & flags::SHORTENED != 0));
    assert_eq!(ran.frame.len(), if is_cut { made.payload } else { made.bytes.len() });
    if let Some(tag) = tag {
        assert_eq!(tag.original_length as usize, made.bytes.len());
    }
    is_cut
}

#[test]
fn segments_wholly_inside_a_published_range_come_without_payload() {
    let Some(mut rig) = cutting("segments_wholly_inside_a_published_range_come_without_payload") else {
        return;
    };
    assert!(!is_cut(&mut rig, &body(1000, 1460)), "nothing is published");
    publish(&mut rig, 2460, 100_000);
    assert!(!is_cut(&mut rig, &body(2459, 1460)), "it begins in front");
    assert!(is_cut(&mut rig, &body(2460, 1460)));
    assert!(is_cut(&mut rig, &body(50_000, 1460)), "whatever is missing before it");
    assert!(is_cut(&mut rig, &body(2460, 1460)), "the same bytes again");
    assert!(!is_cut(&mut rig, &body(2460, 200)), "too short to matter");
    assert!(is_cut(&mut rig, &body(101_000, 1460)), "up to the last byte");
    let mut padded = body(3920, 1460);
    padded.padding = 6;
    assert!(is_cut(&mut rig, &padded), "padding goes with it");
    let mut tagged = body(3920, 1460);
    tagged.vlans = vec![0x8100, 0x88a8];
    tagged.tcp_options = 12;
    assert!(is_cut(&mut rig, &tagged), "headers of any length stay");
    let request = Frame::tcp(CLIENT, SERVER, ACK, &[b'r'; 1000]).sequence(3920);
    assert!(
        !is_cut(&mut rig, &request),
        "the other direction has a range of its own"
    );
}

#[test]
fn a_range_ends_with_the_first_segment_behind_it() {
    let Some(mut rig) = cutting("a_range_ends_with_the_first_segment_behind_it") else {
        return;
    };
    publish(&mut rig, u32::MAX - 4999, 10_000);
    assert!(is_cut(&mut rig, &body(u32::MAX - 4999, 1460)));
    assert!(is_cut(&mut rig, &body(u32::MAX - 99, 1460)), "over the wrap");
    assert!(!is_cut(&mut rig, &body(4000, 1460)), "it ends behind");
    assert!(
        !is_cut(&mut rig, &body(1000, 1460)),
        "the range is over, also for what comes again"
    );
}

#[test]
fn segments_that_say_more_than_their_bytes_stay_whole() {
    let Some(mut rig) = cutting("segments_that_say_more_than_their_bytes_stay_whole") else {
        return;
    };
    publish(&mut rig, 1000, 100_000);
    for flag in [0x01, 0x04, 0x20] {
        let special = Frame::tcp(SERVER, CLIENT, ACK | flag, &[b'b'; 1460]).sequence(1000);
        assert!(!is_cut(&mut rig, &special), "{flag:#x}");
    }
    assert!(is_cut(&mut rig, &body(1000, 1460)));
}

#[test]
fn a_new_connection_knows_nothing_of_the_old_one() {
    let Some(mut rig) = cutting("a_new_connection_knows_nothing_of_the_old_one") else {
        return;
    };
    let learned = clock::monotonic();
    publish_learned(&mut rig, 1000, 100_000, learned);
    assert!(is_cut(&mut rig, &body(1000, 1460)));
    rig.run(&open().sequence(77_000).make().bytes);
    assert!(!is_cut(&mut rig, &body(1000, 1460)));
    publish_learned(&mut rig, 1000, 100_000, learned);
    assert!(!is_cut(&mut rig, &body(1000, 1460)), "a trimmer that lags behind");
    publish(&mut rig, 1000, 100_000);
    assert!(is_cut(&mut rig, &body(1000, 1460)));
}

#[test]
fn an_immediate_switch_and_a_stale_lease_end_what_was_promised() {
    let Some(mut rig) = cutting("an_immediate_switch_and_a_stale_lease_end_what_was_promised") else {
        return;
    };
    publish(&mut rig, 1000, 100_000);
    rig.switch(Mode::Scanning, Split::ALL);
    assert!(
        !is_cut(&mut rig, &body(1000, 1460)),
        "another trimmer, which has promised nothing"
    );
    publish(&mut rig, 1000, 100_000);
    assert!(is_cut(&mut rig, &body(1000, 1460)));
    rig.setup(Setup { lease_ns: 1, ..CUTTING });
    rig.lease(1);
    assert!(!is_cut(&mut rig, &body(1000, 1460)));
}

#[test]
fn the_network_stack_gets_whole_packets() {
    let Some(mut rig) = cutting("the_network_stack_gets_whole_packets") else {
        return;
    };
    publish(&mut rig, 1000, 100_000);
    rig.close_socket(0, Strategy::Legacy);
    assert!(is_cut(&mut rig, &body(1000, 1460)), "the other socket takes it");
    rig.close_socket(0, Strategy::Scanning);
    assert!(!is_cut(&mut rig, &body(1000, 1460)));
}

#[test]
fn where_it_is_off_nothing_is_cut() {
    let Some(mut rig) = cutting("where_it_is_off_nothing_is_cut") else {
        return;
    };
    publish(&mut rig, 1000, 100_000);
    rig.setup(SETUP);
    assert!(!is_cut(&mut rig, &body(1000, 1460)));
}
