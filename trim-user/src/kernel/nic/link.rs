//! State and counters of an interface, from rtnetlink (include/uapi/linux/if_link.h).

use super::error::NicError;
use super::netlink::{Message, Netlink, attributes, number, put_attribute, unsigned};

/// Length of `struct ifinfomsg`, bytes.
const IFINFOMSG: usize = 16;
const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_STATS64: u16 = 23;
const IFLA_EXT_MASK: u16 = 29;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_CARRIER: u16 = 33;
const IFLA_XDP: u16 = 43;
const IFLA_XDP_ATTACHED: u16 = 2;
/// `IF_OPER_UP`.
const OPERSTATE_UP: u64 = 6;

/// How an XDP program is attached to an interface (`IFLA_XDP_ATTACHED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum XdpAttachment {
    /// Not at all.
    #[default]
    None,
    /// In the driver.
    Native,
    /// In the network core.
    Generic,
    /// In the device.
    Offloaded,
    /// In more than one of these places.
    Several,
}

/// Counters of an interface, packets, since it was made (`struct rtnl_link_stats64`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LinkCounters {
    /// Packets received.
    pub rx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Received packets that were damaged.
    pub rx_errors: u64,
    /// Received packets dropped by the driver or the network core. Drivers also count here what an XDP program dropped
    /// or failed to redirect.
    pub rx_dropped: u64,
    /// Packets dropped on the way out. On veth: frames that the other end had no room for.
    pub tx_dropped: u64,
    /// Packets that the device itself had no buffer for; lost before XDP.
    pub rx_missed: u64,
    /// Packets that overran the device's FIFO; lost before XDP.
    pub rx_fifo_errors: u64,
}

/// An interface as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its MAC address; empty when it has none.
    pub address: Vec<u8>,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Has a carrier and can receive.
    pub running: bool,
    /// The loopback interface.
    pub loopback: bool,
    /// How many programs want packets for others, too; it receives them unless this is 0.
    pub promiscuity: u32,
    /// Longest packet behind the Ethernet header, bytes.
    pub mtu: u32,
    /// RX queues the driver set up when the interface was made; see [`Channels`](super::Channels) for those in use.
    pub rx_queues: u32,
    /// Where an XDP program is attached.
    pub xdp: XdpAttachment,
    /// Counters.
    pub counters: LinkCounters,
}

impl Link {
    /// Asks for one interface.
    ///
    /// # Errors
    /// [`NicError::Gone`] when there is none with this index, else what the request ran into.
    pub fn query(index: u32) -> Result<Self, NicError> {
        let mut found = None;
        let outcome = route()?.ask(libc::RTM_GETLINK, 0, &ifinfomsg(index), |message| {
            found = Self::parse(message).map(|(link, _)| link);
        });
        match outcome {
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Err(NicError::Gone(index)),
            Err(source) => Err(NicError::Request {
                action: "ask for the state of an interface",
                source,
            }),
            Ok(()) => found.ok_or(NicError::Gone(index)),
        }
    }

    /// Every interface of this network namespace, by index.
    ///
    /// # Errors
    /// What the request ran into.
    pub fn list() -> Result<Vec<Self>, NicError> {
        let mut links = Vec::new();
        route()?
            .ask(libc::RTM_GETLINK, libc::NLM_F_DUMP, &ifinfomsg(0), |message| {
                links.extend(Self::parse(message).map(|(link, _)| link));
            })
            .map_err(NicError::request("list the interfaces"))?;
        Ok(links)
    }

    /// Reads RTM_NEWLINK or RTM_DELLINK; the flag says that the interface exists.
    pub(super) fn parse(message: Message<'_>) -> Option<(Self, bool)> {
        let exists = match message.kind {
            libc::RTM_NEWLINK => true,
            libc::RTM_DELLINK => false,
            _ => return None,
        };
        let index = u32::from_ne_bytes(number(message.body, 4)?);
        let flags = i32::from_ne_bytes(number(message.body, 8)?);
        let has = |flag: libc::c_int| flags & flag != 0;
        let mut link = Self {
            index,
            up: has(libc::IFF_UP),
            running: has(libc::IFF_LOWER_UP),
            loopback: has(libc::IFF_LOOPBACK),
            ..Self::default()
        };
        for (kind, value) in attributes(message.body.get(IFINFOMSG..)?) {
            link.set(kind, value);
        }
        Some((link, exists))
    }

    fn set(&mut self, kind: u16, value: &[u8]) {
        let small = || {
            unsigned(value)
                .and_then(|number| u32::try_from(number).ok())
                .unwrap_or(0)
        };
        match kind {
            IFLA_IFNAME => self.name = text(value),
            IFLA_ADDRESS => self.address = value.to_vec(),
            IFLA_MTU => self.mtu = small(),
            // Drivers that do not watch their link report "unknown" here and a carrier below.
            IFLA_OPERSTATE => self.running |= unsigned(value) == Some(OPERSTATE_UP),
            IFLA_CARRIER => self.running = unsigned(value) == Some(1),
            IFLA_NUM_RX_QUEUES => self.rx_queues = small(),
            IFLA_PROMISCUITY => self.promiscuity = small(),
            IFLA_STATS64 => self.counters = LinkCounters::parse(value),
            IFLA_XDP => self.xdp = xdp_attachment(value),
            _ => {}
        }
    }
}

impl LinkCounters {
    fn parse(value: &[u8]) -> Self {
        let field = |index: usize| number(value, index * 8).map_or(0, u64::from_ne_bytes);
        Self {
            rx_packets: field(0),
            tx_packets: field(1),
            rx_bytes: field(2),
            rx_errors: field(4),
            rx_dropped: field(6),
            tx_dropped: field(7),
            rx_fifo_errors: field(14),
            rx_missed: field(15),
        }
    }
}

fn xdp_attachment(value: &[u8]) -> XdpAttachment {
    let mode = attributes(value).find(|(kind, _)| *kind == IFLA_XDP_ATTACHED);
    // `XDP_ATTACHED_*`
    match mode.and_then(|(_, value)| unsigned(value)) {
        Some(1) => XdpAttachment::Native,
        Some(2) => XdpAttachment::Generic,
        Some(3) => XdpAttachment::Offloaded,
        Some(4) => XdpAttachment::Several,
        _ => XdpAttachment::None,
    }
}

fn route() -> Result<Netlink, NicError> {
    Netlink::open(libc::NETLINK_ROUTE, 0).map_err(NicError::request("open a netlink socket"))
}

fn ifinfomsg(index: u32) -> Vec<u8> {
    let mut message = vec![0; IFINFOMSG];
    message[4..8].copy_from_slice(&index.to_ne_bytes());
    // An empty mask leaves out the data of virtual functions, which can be long, and keeps the counters.
    put_attribute(&mut message, IFLA_EXT_MASK, &0_u32.to_ne_bytes());
    message
}

pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: i32, attributes: &[(u16, &[u8])]) -> (u16, Vec<u8>) {
        let mut body = vec![0; IFINFOMSG];
        body[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        body[8..12].copy_from_slice(&flags.to_ne_bytes());
        for (kind, value) in attributes {
            put_attribute(&mut body, *kind, value);
        }
        (kind, body)
    }

    #[test]
    fn a_link_message_is_read_field_by_field() {
        let mut counters = [0_u8; 8 * 25];
        counters[7 * 8] = 9;
        counters[15 * 8] = 3;
        let mut xdp = Vec::new();
        put_attribute(&mut xdp, IFLA_XDP_ATTACHED, &[2]);
        let (kind, body) = message(
            libc::RTM_NEWLINK,
            libc::IFF_UP,
            &[
                (IFLA_IFNAME, b"p0\0"),
                (IFLA_MTU, &1500_u32.to_ne_bytes()),
                (IFLA_CARRIER, &[1]),
                (IFLA_STATS64, &counters),
                (IFLA_XDP, &xdp),
            ],
        );
        let (link, exists) = Link::parse(Message {
            kind,
            sequence: 0,
            body: &body,
        })
        .unwrap();
        assert!(exists && link.up && link.running);
        assert_eq!((link.index, link.name.as_str(), link.mtu), (7, "p0", 1500));
        assert_eq!((link.counters.tx_dropped, link.counters.rx_missed), (9, 3));
        assert_eq!(link.xdp, XdpAttachment::Generic);
    }

    #[test]
    fn a_cut_message_is_no_link() {
        let (kind, body) = message(libc::RTM_DELLINK, 0, &[]);
        assert!(
            Link::parse(Message {
                kind,
                sequence: 0,
                body: &body[..9]
            })
            .is_none()
        );
        assert!(
            Link::parse(Message {
                kind: 99,
                sequence: 0,
                body: &body
            })
            .is_none()
        );
    }

    #[test]
    fn the_loopback_interface_is_listed_and_can_be_asked_for() {
        let links = Link::list().unwrap();
        let loopback = links.iter().find(|link| link.loopback).unwrap();
        assert_eq!(loopback.name, "lo");
        assert_eq!(Link::query(loopback.index).unwrap().name, "lo");
        assert!(matches!(Link::query(u32::MAX >> 1), Err(NicError::Gone(_))));
    }
}
