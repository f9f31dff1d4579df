//! What the policy leaves out, and what it must not.

use std::net::Ipv4Addr;

use trim_common::reason::Reason;
use trim_common::tag::flags;

use crate::frames::{ACK, Frame, PSH_ACK, SYN, SYN_ACK};
use crate::rig::{Rig, SETUP, can_run};

fn omitting(detect: bool) -> Rig {
    let mut rig = Rig::new();
    let mut setup = SETUP;
    setup.omit_not_http = 1;
    setup.detect = u8::from(detect);
    rig.setup(setup);
    rig
}

fn client(port: u16, tcp_flags: u8, payload: &[u8]) -> Frame {
    let (client, server) = (Ipv4Addr::new(10, 0, 0, 1), Ipv4Addr::new(10, 0, 0, 2));
    Frame::tcp((client, 40_000), (server, port), tcp_flags, payload)
}

fn is_omitted(rig: &mut Rig, frame: &Frame) -> bool {
    let (_, outcome) = rig.run(&frame.make().bytes);
    let omitted = outcome.reasons.contains(Reason::OmittedNotHttp) || outcome.reasons.contains(Reason::OmittedNotTcp);
    assert_eq!(omitted, outcome.tag.is_none());
    omitted
}

#[test]
fn a_flow_is_left_out_only_from_the_packet_on_that_proves_it_is_not_http() {
    if !can_run("a_flow_is_left_out_only_from_the_packet_on_that_proves_it_is_not_http") {
        return;
    }
    let mut rig = omitting(true);
    assert!(!is_omitted(&mut rig, &client(443, SYN, b"").sequence(99)));
    let hello = client(443, PSH_ACK, b"\x16\x03\x01\x02\x00\x01\x00\x01").sequence(100);
    assert!(is_omitted(&mut rig, &hello));
    assert!(is_omitted(&mut rig, &hello.reply(ACK, b"GET / HTTP/1.1\r\n")));
}

#[test]
fn a_flow_seen_from_the_middle_is_never_left_out() {
    if !can_run("a_flow_seen_from_the_middle_is_never_left_out") {
        return;
    }
    let mut rig = omitting(true);
    for number in 0..100 {
        let body = client(8080, PSH_ACK, b"\0\x01\x02\x03 middle of a body").sequence(number * 1000);
        assert!(!is_omitted(&mut rig, &body));
    }
    let request = client(8080, PSH_ACK, b"GET / HTTP/1.1\r\n\r\n").sequence(1);
    assert!(!is_omitted(&mut rig, &request));
}

#[test]
fn a_first_segment_that_was_lost_proves_nothing() {
    if !can_run("a_first_segment_that_was_lost_proves_nothing") {
        return;
    }
    let mut rig = omitting(true);
    is_omitted(&mut rig, &client(80, SYN, b"").sequence(99));
    assert!(!is_omitted(
        &mut rig,
        &client(80, PSH_ACK, b"\xff\xfe second segment").sequence(1560)
    ));
    let answer = client(80, ACK, b"").reply(PSH_ACK, b"HTTP/1.1 200 OK\r\n");
    let tag = rig.tag(&answer.make().bytes);
    assert!(
        tag.flags & flags::HTTP != 0,
        "the answer shows that it is HTTP after all"
    );
}

#[test]
fn a_server_that_speaks_another_protocol_is_left_out_whatever_its_client_says() {
    if !can_run("a_server_that_speaks_another_protocol_is_left_out_whatever_its_client_says") {
        return;
    }
    let mut rig = omitting(true);
    is_omitted(&mut rig, &client(22, SYN, b"").sequence(99));
    is_omitted(&mut rig, &client(22, ACK, b"").reply(SYN_ACK, b"").sequence(499));
    let banner = client(22, ACK, b"").reply(PSH_ACK, b"SSH-2.0-x\r\n").sequence(500);
    assert!(is_omitted(&mut rig, &banner));
}

#[test]
fn a_request_with_an_unknown_method_is_kept() {
    if !can_run("a_request_with_an_unknown_method_is_kept") {
        return;
    }
    let mut rig = omitting(true);
    is_omitted(&mut rig, &client(80, SYN, b"").sequence(99));
    assert!(!is_omitted(
        &mut rig,
        &client(80, PSH_ACK, b"BREW /pot HTTP/1.1\r\n\r\n").sequence(100)
    ));
    assert!(!is_omitted(&mut rig, &client(80, PSH_ACK, b"\xff").sequence(200)));
}

#[test]
fn without_detection_the_port_decides() {
    if !can_run("without_detection_the_port_decides") {
        return;
    }
    let mut rig = omitting(false);
    rig.ports(&[80, 8080, 65_535]);
    for (port, omitted) in [
        (80, false),
        (8080, false),
        (65_535, false),
        (81, true),
        (0, true),
        (443, true),
    ] {
        assert_eq!(is_omitted(&mut rig, &client(port, SYN, b"")), omitted, "port {port}");
        assert_eq!(is_omitted(&mut rig, &client(port, ACK, b"").reply(ACK, b"x")), omitted);
    }
    let tag = rig.tag(&client(80, ACK, b"").make().bytes);
    assert!(tag.flags & flags::HTTP != 0);
}

#[test]
fn packets_without_tcp_are_left_out_and_what_may_hide_tcp_is_kept() {
    if !can_run("packets_without_tcp_are_left_out_and_what_may_hide_tcp_is_kept") {
        return;
    }
    let mut rig = omitting(true);
    let with = |change: &dyn Fn(&mut Frame)| {
        let mut frame = client(80, ACK, b"x");
        change(&mut frame);
        frame
    };
    assert!(is_omitted(&mut rig, &with(&|frame| frame.protocol = 17)));
    assert!(!is_omitted(&mut rig, &with(&|frame| frame.protocol = 47)));
    assert!(!is_omitted(&mut rig, &with(&|frame| frame.ip_fragment = 0x2000)));
    assert!(is_omitted(
        &mut rig,
        &with(&|frame| {
            frame.ip_fragment = 0x2000;
            frame.protocol = 17;
        })
    ));
    let arp = {
        let mut bytes = with(&|_| {}).make().bytes;
        bytes[12..14].copy_from_slice(&[0x08, 0x06]);
        bytes
    };
    assert!(rig.run(&arp).1.reasons.contains(Reason::OmittedNotTcp));
    let broken = {
        let mut bytes = with(&|_| {}).make().bytes;
        bytes[14] = 0x42;
        bytes
    };
    assert!(rig.run(&broken).1.tag.is_some(), "what is not understood is kept");
}
