//! The fuse.

use trim_common::reason::Reason;
use trim_common::strategy::{Mode, Split, Strategy};
use trim_common::tag::flags;
use trim_user::kernel::clock;

use crate::frames::{ACK, Frame};
use crate::rig::{Rig, SETUP, can_run};

const SECOND: u64 = 1_000_000_000;

fn segment() -> Vec<u8> {
    let host = |last| (std::net::Ipv4Addr::new(10, 0, 0, last), 80);
    Frame::tcp(host(1), host(2), ACK, b"").make().bytes
}

#[test]
fn a_stale_lease_sends_every_flow_to_legacy_until_it_is_renewed() {
    if !can_run("a_stale_lease_sends_every_flow_to_legacy_until_it_is_renewed") {
        return;
    }
    let mut rig = Rig::new();
    let mut setup = SETUP;
    setup.lease_ns = 100 * SECOND;
    rig.setup(setup);
    rig.switch(Mode::Scanning, Split::ALL);
    assert_eq!(rig.strategy(&segment()), Strategy::Scanning, "no lease was ever taken");

    rig.lease(clock::monotonic());
    assert_eq!(rig.strategy(&segment()), Strategy::Scanning);

    rig.lease(clock::monotonic() - 200 * SECOND);
    let (_, outcome) = rig.run(&segment());
    let tag = outcome.tag.unwrap();
    assert_eq!((tag.strategy, tag.mode), (Strategy::Legacy as u8, Mode::Legacy as u8));
    assert!(tag.flags & flags::LEASE_STALE != 0);
    assert!(outcome.reasons.contains(Reason::LeaseStale));
    assert!(outcome.reasons.contains(Reason::RedirectedLegacy));

    rig.lease(clock::monotonic());
    assert_eq!(rig.strategy(&segment()), Strategy::Scanning);
}

#[test]
fn a_stale_lease_is_logged_once_and_again_only_after_a_renewal() {
    if !can_run("a_stale_lease_is_logged_once_and_again_only_after_a_renewal") {
        return;
    }
    let mut rig = Rig::new();
    let mut setup = SETUP;
    setup.lease_ns = SECOND;
    rig.setup(setup);
    rig.lease(clock::monotonic() - 5 * SECOND);
    for _ in 0..20 {
        rig.run(&segment());
    }
    let events = rig.events.drain();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(
        events[0].message.contains("has not renewed its lease for 50"),
        "{events:?}"
    );
    rig.lease(clock::monotonic() - 3 * SECOND);
    rig.run(&segment());
    rig.run(&segment());
    assert_eq!(rig.events.drain().len(), 1);
}
