//! The interfaces a capture is to use.

use crate::config::{Bind, Capture, XdpMode};
use crate::kernel::nic::{Ethtool, FlowHash, Interface, LinkState, RingSize, XdpAttachment, XdpFeatures};
use crate::kernel::pins;
use crate::kernel::xsk::Options;
use crate::ops::finding::{About, Report};

/// Looks at every interface of the configuration, and gives those that are there.
pub(super) fn examine(capture: &Capture, report: &mut Report) -> Vec<Interface> {
    if capture.interfaces.is_empty() {
        report.about("interface").note(
            "name",
            "none named",
            "name one with `--interface` or `capture.interfaces`; `trim interfaces` lists them",
        );
    }
    let mut found = Vec::new();
    for name in &capture.interfaces {
        let mut about = report.about(name);
        match Interface::query(name) {
            Ok(interface) => {
                judge(&interface, capture, &mut about);
                hash(&interface, &mut about);
                attached(&interface, &mut about);
                found.push(interface);
            }
            Err(error) => about.fail("name", error.to_string(), "packets come from there", "trim interfaces"),
        }
    }
    found
}

fn judge(interface: &Interface, capture: &Capture, about: &mut About<'_>) {
    link(interface, about);
    frame_size(interface, capture, about);
    let is_generic = xdp_mode(&interface.link.name, interface.xdp, capture.xdp_mode, about);
    zero_copy(interface.xdp, capture.bind, about);
    offloads(interface, is_generic, about);
    if let Some(rings) = interface.rings {
        ring(&interface.link.name, rings, about);
    }
    promiscuous(interface, capture, about);
}

fn link(interface: &Interface, about: &mut About<'_>) {
    let name = &interface.link.name;
    match LinkState::of(&interface.link) {
        LinkState::Up => about.ok("link", "up"),
        state if interface.link.up => about.warn(
            "link",
            state.name(),
            "nothing arrives without a carrier",
            "look at the cable, the SPAN port or the other end",
        ),
        state => about.fail(
            "link",
            state.name(),
            "nothing arrives on an interface that is down",
            format!("ip link set {name} up"),
        ),
    }
}

fn frame_size(interface: &Interface, capture: &Capture, about: &mut About<'_>) {
    let mtu = interface.link.mtu;
    let options = Options {
        frame_size: capture.frame_size,
        frame_count: capture.frames_per_queue,
        fill_ring: capture.ring_size,
        rx_ring: capture.ring_size,
        ..Options::default()
    };
    match options.check(mtu) {
        Ok(settings) => about.ok(
            "mtu",
            format!(
                "{mtu} bytes; a frame holds {} with its link header",
                settings.capacity()
            ),
        ),
        Err(error) => about.fail(
            "mtu",
            error.to_string(),
            "the capture does not start",
            format!(
                "ip link set {} mtu 1500, or `capture.frame_size: 4096` for up to 3818",
                interface.link.name
            ),
        ),
    }
}

/// Whether generic mode is what a capture will have, as far as one can tell.
fn xdp_mode(name: &str, features: Option<XdpFeatures>, wanted: XdpMode, about: &mut About<'_>) -> bool {
    let has_native = features.map(|features| features.native && features.redirect);
    match (wanted, has_native) {
        (XdpMode::Generic, _) => {
            about.note(
                "xdp mode",
                "generic, as configured",
                "the kernel copies each packet before the program sees it",
            );
        }
        (_, Some(true)) => about.ok("xdp mode", "native"),
        (_, None) => about.note(
            "xdp mode",
            "unknown",
            "kernels before 6.3 do not tell; `trim run` says which it got",
        ),
        (XdpMode::Native, Some(false)) => about.fail(
            "xdp mode",
            format!("the driver of {name} has no native XDP with redirection"),
            "`capture.xdp_mode: native` does with nothing else",
            "set `capture.xdp_mode: auto`, or use another network card",
        ),
        (XdpMode::Auto, Some(false)) => about.warn(
            "xdp mode",
            "generic: the driver has no native XDP with redirection",
            "the kernel copies each packet before the program sees it: a fraction of the rate",
            "use another network card; for little traffic it does",
        ),
    }
    wanted == XdpMode::Generic || has_native == Some(false)
}

fn zero_copy(features: Option<XdpFeatures>, wanted: Bind, about: &mut About<'_>) {
    match (wanted, features.map(|features| features.zero_copy)) {
        (Bind::Copy, _) => about.ok("zero-copy", "not wanted (`capture.bind: copy`)"),
        (_, Some(true)) => about.ok("zero-copy", "the driver has it"),
        (_, None) => about.note("zero-copy", "unknown", "kernels before 6.3 do not tell"),
        (Bind::ZeroCopy, Some(false)) => about.fail(
            "zero-copy",
            "the driver does not have it",
            "`capture.bind: zero_copy` does with nothing else",
            "set `capture.bind: auto`",
        ),
        (Bind::Auto, Some(false)) => about.note(
            "zero-copy",
            "the driver does not have it",
            "packets are copied into the frame pool, which costs about half the rate",
        ),
    }
}

fn offloads(interface: &Interface, is_generic: bool, about: &mut About<'_>) {
    let name = &interface.link.name;
    let Some(offloads) = interface.offloads else {
        return about.note("offloads", "unknown", "the driver does not tell");
    };
    if offloads.rx_vlan {
        about.warn(
            "vlan offload",
            "on",
            "the device takes VLAN tags away before XDP sees them: they are missing in the capture",
            format!("ethtool -K {name} rxvlan off"),
        );
    } else {
        about.ok("vlan offload", "off");
    }
    if offloads.lro {
        about.warn(
            "lro",
            "on",
            "the device merges segments: packets are not those of the wire, and many drivers refuse native XDP",
            format!("ethtool -K {name} lro off"),
        );
    } else {
        about.ok("lro", "off");
    }
    match offloads.gro {
        true if is_generic => about.warn(
            "gro",
            "on",
            "generic XDP sees merged segments, which are longer than a frame: they are lost",
            format!("ethtool -K {name} gro off"),
        ),
        true => about.ok("gro", "on (native XDP sees packets before it)"),
        false => about.ok("gro", "off"),
    }
}

fn ring(name: &str, rings: RingSize, about: &mut About<'_>) {
    if rings.rx == 0 || rings.most == 0 {
        return;
    }
    let found = format!("{} of at most {} descriptors", rings.rx, rings.most);
    if rings.rx < rings.most.min(2048) {
        about.advise(
            "rx ring",
            found,
            "a short ring overruns while the processor is away; the device then counts `rx_missed`",
            format!("ethtool -G {name} rx {}", rings.most.min(4096)),
        );
    } else {
        about.ok("rx ring", found);
    }
}

fn promiscuous(interface: &Interface, capture: &Capture, about: &mut About<'_>) {
    match (interface.link.promiscuity > 0, capture.promiscuous) {
        (true, _) => about.ok("promiscuous", "on"),
        (false, true) => about.ok("promiscuous", "off; `trim run` turns it on while it captures"),
        (false, false) => about.advise(
            "promiscuous",
            "off, and `capture.promiscuous: false`",
            "a SPAN port carries packets that are addressed to others: the device drops them",
            "set `capture.promiscuous: true`",
        ),
    }
}

/// Both directions of a connection should meet on one queue.
fn hash(interface: &Interface, about: &mut About<'_>) {
    if interface.queues < 2 {
        return about.ok("rss", "one queue: nothing to spread");
    }
    let answer = Ethtool::open(&interface.link.name).and_then(|ethtool| FlowHash::query(&ethtool));
    match answer {
        Ok(hash) => judge_hash(&interface.link.name, interface.queues, hash.is_symmetric(), about),
        Err(error) => about.note("rss", "unknown", error.to_string()),
    }
}

fn judge_hash(name: &str, queues: u32, is_symmetric: Option<bool>, about: &mut About<'_>) {
    const WHY: &str = "the two directions of a connection arrive on different queues: an answer may be judged without \
                       its request, and is then kept whole";
    match is_symmetric {
        Some(true) => about.ok("rss", format!("{queues} queues, symmetric hash")),
        Some(false) => about.warn(
            "rss",
            format!("{queues} queues, the hash is not symmetric"),
            WHY,
            format!(
                "ethtool -X {name} xfrm symmetric-xor, or a key that repeats 6d:5a, or `ethtool -L {name} combined 1`"
            ),
        ),
        None => about.note(
            "rss",
            format!("{queues} queues; the driver does not tell how it spreads packets"),
            WHY,
        ),
    }
}

/// Somebody else's program, or a running capture.
fn attached(interface: &Interface, about: &mut About<'_>) {
    let name = &interface.link.name;
    if interface.link.xdp == XdpAttachment::None {
        return about.ok("xdp programs", "none attached");
    }
    let directory = pins::directory_of(name);
    match pins::is_held(&directory) {
        Ok(true) => about.note(
            "xdp programs",
            "that of a running `trim`",
            "a second capture here is refused",
        ),
        Ok(false) => about.note(
            "xdp programs",
            "that of a `trim` which was killed",
            "the next one takes it over",
        ),
        Err(_) => about.fail(
            "xdp programs",
            "one is attached that is not a pinned one of `trim`",
            "a capture here is refused",
            format!("stop its owner, or `ip link set dev {name} xdp off`"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::nic::{Link, Offloads};
    use crate::ops::finding::Grade;

    fn interface() -> Interface {
        Interface {
            link: Link {
                name: "eth0".to_owned(),
                up: true,
                running: true,
                mtu: 1500,
                ..Link::default()
            },
            driver: Some("ice".to_owned()),
            queues: 4,
            rings: Some(RingSize { rx: 4096, most: 8160 }),
            offloads: Some(Offloads {
                rx_vlan: false,
                gro: true,
                lro: false,
            }),
            xdp: Some(XdpFeatures {
                native: true,
                redirect: true,
                zero_copy: true,
            }),
        }
    }

    fn bad(interface: &Interface, capture: &Capture) -> Vec<(String, Grade)> {
        let mut report = Report::default();
        judge(interface, capture, &mut report.about("eth0"));
        let bad = report.findings.into_iter().filter(|it| it.grade > Grade::Note);
        bad.map(|finding| (finding.check, finding.grade)).collect()
    }

    fn capture() -> Capture {
        crate::config::Config::parse("").unwrap().capture
    }

    #[test]
    fn a_good_card_has_no_complaint() {
        assert_eq!(bad(&interface(), &capture()), []);
    }

    #[test]
    fn each_fault_has_its_finding() {
        let mut poor = interface();
        poor.link.up = false;
        poor.link.running = false;
        poor.link.mtu = 9000;
        poor.offloads = Some(Offloads {
            rx_vlan: true,
            gro: true,
            lro: true,
        });
        poor.xdp = Some(XdpFeatures {
            native: false,
            redirect: false,
            zero_copy: false,
        });
        let expected = [
            ("link", Grade::Failure),
            ("mtu", Grade::Failure),
            ("xdp mode", Grade::Warning),
            ("vlan offload", Grade::Warning),
            ("lro", Grade::Warning),
            ("gro", Grade::Warning),
        ];
        assert_eq!(
            bad(&poor, &capture()),
            expected.map(|(check, grade)| (check.to_owned(), grade))
        );
        let strict = Capture {
            xdp_mode: XdpMode::Native,
            bind: Bind::ZeroCopy,
            ..capture()
        };
        let failures = bad(&poor, &strict);
        for check in ["xdp mode", "zero-copy"] {
            assert!(failures.contains(&(check.to_owned(), Grade::Failure)), "{failures:?}");
        }
    }

    #[test]
    fn an_asymmetric_hash_is_warned_of() {
        for (answer, grade) in [
            (Some(true), Grade::Ok),
            (Some(false), Grade::Warning),
            (None, Grade::Note),
        ] {
            let mut report = Report::default();
            judge_hash("eth0", 4, answer, &mut report.about("eth0"));
            assert_eq!(report.findings[0].grade, grade);
        }
    }
}
