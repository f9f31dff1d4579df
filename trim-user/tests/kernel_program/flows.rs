//! Flows keep their strategy.

use std::net::Ipv4Addr;

use trim_common::reason::Reason;
use trim_common::strategy::{Mode, Split, Strategy};
use trim_common::tag::flags;

use crate::frames::{ACK, Frame, PSH_ACK, SYN, SYN_ACK};
use crate::rig::{Rig, can_run};

const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 80);

fn client(number: u16) -> Frame {
    Frame::tcp((Ipv4Addr::new(198, 51, 100, 7), 10_000 + number), SERVER, ACK, b"")
}

fn bytes(frame: &Frame) -> Vec<u8> {
    frame.make().bytes
}

fn strategies(rig: &mut Rig, flows: u16) -> Vec<Strategy> {
    (0..flows).map(|number| rig.strategy(&bytes(&client(number)))).collect()
}

fn on_scanning(strategies: &[Strategy]) -> usize {
    strategies
        .iter()
        .filter(|strategy| **strategy == Strategy::Scanning)
        .count()
}

#[test]
fn both_directions_go_to_one_strategy() {
    if !can_run("both_directions_go_to_one_strategy") {
        return;
    }
    let mut rig = Rig::new();
    rig.switch(Mode::AbTest, Split::from_basis_points(5_000));
    for number in 0..200 {
        let frame = client(number);
        let there = rig.tag(&bytes(&frame));
        let back = rig.tag(&bytes(&frame.reply(ACK, b"x")));
        assert_eq!((there.strategy, there.flow_hash), (back.strategy, back.flow_hash));
        assert_ne!(there.direction, back.direction);
    }
}

#[test]
fn a_split_takes_its_share_of_the_flows() {
    if !can_run("a_split_takes_its_share_of_the_flows") {
        return;
    }
    let mut rig = Rig::new();
    rig.switch(Mode::AbTest, Split::from_basis_points(2_500));
    let scanning = on_scanning(&strategies(&mut rig, 2_000));
    assert!((420..580).contains(&scanning), "{scanning} of 2000 at 25%");
}

#[test]
fn raising_the_split_only_adds_flows() {
    if !can_run("raising_the_split_only_adds_flows") {
        return;
    }
    let mut rig = Rig::new();
    let mut before = vec![Strategy::Legacy; 300];
    for percent in [10, 25, 50, 75, 90, 100] {
        rig.switch(Mode::AbTest, Split::from_basis_points(percent * 100));
        let after = strategies(&mut rig, 300);
        for (before, after) in before.iter().zip(&after) {
            assert!(
                *before == Strategy::Legacy || *after == Strategy::Scanning,
                "{percent}%"
            );
        }
        before = after;
    }
    assert_eq!(on_scanning(&before), 300);
}

#[test]
fn a_draining_switch_leaves_known_flows_alone() {
    if !can_run("a_draining_switch_leaves_known_flows_alone") {
        return;
    }
    let mut rig = Rig::new();
    rig.switch(Mode::Legacy, Split::NONE);
    let tag = rig.tag(&bytes(&client(1)));
    rig.drain(Mode::Scanning, Split::ALL);
    assert_eq!(rig.tag(&bytes(&client(1))).strategy, tag.strategy);
    assert_eq!(rig.tag(&bytes(&client(1))).mode, Mode::Legacy as u8);
    assert_eq!(rig.strategy(&bytes(&client(2))), Strategy::Scanning);
}

#[test]
fn an_immediate_switch_moves_each_known_flow_once() {
    if !can_run("an_immediate_switch_moves_each_known_flow_once") {
        return;
    }
    let mut rig = Rig::new();
    rig.switch(Mode::Scanning, Split::ALL);
    let first = rig.tag(&bytes(&client(1)));
    rig.switch(Mode::Legacy, Split::NONE);
    let (_, moved) = rig.run(&bytes(&client(1)));
    assert!(moved.reasons.contains(Reason::FlowReassigned));
    let tag = moved.tag.unwrap();
    assert_eq!(
        (tag.strategy, tag.generation),
        (Strategy::Legacy as u8, first.generation + 1)
    );
    let (_, again) = rig.run(&bytes(&client(1)));
    assert!(!again.reasons.contains(Reason::FlowReassigned));
}

#[test]
fn each_mode_steers_where_it_should() {
    if !can_run("each_mode_steers_where_it_should") {
        return;
    }
    let mut rig = Rig::new();
    let expected = [
        (Mode::Legacy, Strategy::Legacy),
        (Mode::Scanning, Strategy::Scanning),
        (Mode::Auto, Strategy::Scanning),
        (Mode::Comparison, Strategy::Legacy),
    ];
    for (mode, strategy) in expected {
        rig.switch(mode, Split::from_basis_points(5_000));
        let tag = rig.tag(&bytes(&client(3)));
        assert_eq!((tag.strategy, tag.mode), (strategy as u8, mode as u8), "{mode:?}");
    }
}

#[test]
fn a_syn_on_known_ports_begins_a_new_connection_and_its_repetition_does_not() {
    if !can_run("a_syn_on_known_ports_begins_a_new_connection_and_its_repetition_does_not") {
        return;
    }
    let mut rig = Rig::new();
    let mut syn = client(1).sequence(5_000);
    syn.tcp_flags = SYN;
    let (_, first) = rig.run(&bytes(&syn));
    assert!(first.tag.unwrap().flags & flags::FIRST != 0);
    rig.drain(Mode::Scanning, Split::ALL);

    let (_, repeated) = rig.run(&bytes(&syn));
    assert!(!repeated.reasons.contains(Reason::FlowReopened));
    assert_eq!(repeated.tag.unwrap().strategy, Strategy::Legacy as u8);

    let (_, answer) = rig.run(&bytes(&syn.reply(SYN_ACK, b"")));
    assert!(!answer.reasons.contains(Reason::FlowReopened));

    let (_, reused) = rig.run(&bytes(&syn.clone().sequence(9_000)));
    assert!(reused.reasons.contains(Reason::FlowReopened));
    let tag = reused.tag.unwrap();
    assert_eq!(tag.strategy, Strategy::Scanning as u8);
    assert!(tag.flags & flags::FIRST != 0);
}

#[test]
fn the_census_counts_what_is_in_the_table() {
    if !can_run("the_census_counts_what_is_in_the_table") {
        return;
    }
    let mut rig = Rig::new();
    rig.switch(Mode::AbTest, Split::from_basis_points(5_000));
    let strategies = strategies(&mut rig, 40);
    let mut request = client(0);
    request.tcp_flags = PSH_ACK;
    request.payload = b"GET / HTTP/1.1\r\n".to_vec();
    rig.run(&bytes(&request));
    let census = rig.maps.flows.census();
    let scanning = on_scanning(&strategies) as u64;
    assert_eq!(census.by_strategy, [40 - scanning, scanning]);
    assert_eq!((census.http, census.not_http), (1, 0));
}
