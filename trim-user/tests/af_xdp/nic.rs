//! What interfaces say about themselves.

use trim_common::strategy::Strategy;
use trim_user::kernel::bare::{BareRedirect, Hook};
use trim_user::kernel::nic::{Interface, Link, NicError, Promiscuous, XdpAttachment, index_of};
use xtask::lab::VethOptions;

use crate::wire::{on_a_wire, one_queue, packet, sender, wait_until};

#[test]
fn an_interface_is_described_as_ip_and_ethtool_do() {
    let options = VethOptions { queues: 3, mtu: 1400 };
    on_a_wire("an_interface_is_described_as_ip_and_ethtool_do", options, |namespace| {
        let near = Interface::query("near").unwrap();
        assert_eq!(near.driver.as_deref(), Some("veth"));
        assert_eq!((near.queues, near.link.mtu), (3, 1400));
        assert!(near.link.up && near.link.running && !near.link.loopback);
        let offloads = near.offloads.expect("veth says");
        assert!(!offloads.rx_vlan && !offloads.gro && !offloads.lro, "{offloads:?}");
        if let Some(xdp) = near.xdp {
            assert!(xdp.native && xdp.redirect && !xdp.zero_copy, "{xdp:?}");
        }
        for feature in ["rxvlan", "gro"] {
            let status = namespace
                .command("ethtool")
                .args(["-K", "near", feature, "on"])
                .status();
            assert!(status.unwrap().success(), "{feature}");
        }
        let offloads = Interface::query("near").unwrap().offloads.expect("veth says");
        assert!(offloads.rx_vlan && offloads.gro && !offloads.lro, "{offloads:?}");
        let names: Vec<_> = Interface::list()
            .unwrap()
            .into_iter()
            .map(|found| found.link.name)
            .collect();
        assert!(
            ["lo", "near", "far"]
                .iter()
                .all(|name| names.iter().any(|found| found == name)),
            "{names:?}"
        );
    });
}

#[test]
fn an_attached_program_shows_on_its_interface() {
    on_a_wire("an_attached_program_shows_on_its_interface", one_queue(), |_| {
        let near = index_of("near").unwrap();
        for (hook, shown) in [
            (Hook::Native, XdpAttachment::Native),
            (Hook::Generic, XdpAttachment::Generic),
        ] {
            let program = BareRedirect::attach(near, 1, hook, false).unwrap();
            assert_eq!(Link::query(near).unwrap().xdp, shown);
            drop(program);
            wait_until("it is detached", || {
                Link::query(near).unwrap().xdp == XdpAttachment::None
            });
        }
    });
}

#[test]
fn an_interface_is_promiscuous_only_as_long_as_it_is_wanted() {
    on_a_wire(
        "an_interface_is_promiscuous_only_as_long_as_it_is_wanted",
        one_queue(),
        |_| {
            let near = index_of("near").unwrap();
            let is_promiscuous = || Link::query(near).unwrap().promiscuity > 0;
            assert!(!is_promiscuous());
            let one = Promiscuous::set(near).unwrap();
            let other = Promiscuous::set(near).unwrap();
            drop(one);
            assert!(is_promiscuous());
            drop(other);
            assert!(!is_promiscuous());
        },
    );
}

#[test]
fn counters_move_with_the_packets() {
    on_a_wire("counters_move_with_the_packets", one_queue(), |_| {
        let far = index_of("far").unwrap();
        let before = Link::query(far).unwrap().counters;
        let sender = sender();
        for number in 0..25 {
            sender.send(&packet(Strategy::Legacy, number, 100)).unwrap();
        }
        wait_until("they are counted", || {
            Link::query(far).unwrap().counters.tx_packets == before.tx_packets + 25
        });
    });
}

#[test]
fn an_interface_that_does_not_exist_is_named_in_the_error() {
    let error = index_of("no_such_if").unwrap_err();
    assert!(matches!(error, NicError::Unknown { .. }));
    assert!(error.to_string().contains("\"no_such_if\""), "{error}");
}
