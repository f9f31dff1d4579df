//! What a driver can do with XDP, from the `netdev` generic netlink family (kernel 6.3 and newer,
//! Documentation/netlink/specs/netdev.yaml).

use std::io;

use super::error::NicError;
use super::netlink::{Netlink, attributes, put_attribute, unsigned};

/// Length of `struct genlmsghdr`, bytes.
const HEADER: usize = 4;
const GENL_VERSION: u8 = 1;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
const NETDEV_CMD_DEV_GET: u8 = 1;
const NETDEV_A_DEV_IFINDEX: u16 = 1;
const NETDEV_A_DEV_XDP_FEATURES: u16 = 3;
const XDP_ACT_BASIC: u64 = 1;
const XDP_ACT_REDIRECT: u64 = 2;
const XDP_ACT_XSK_ZEROCOPY: u64 = 8;

/// XDP features of a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XdpFeatures {
    /// XDP programs run in the driver.
    pub native: bool,
    /// They may redirect, which AF_XDP needs.
    pub redirect: bool,
    /// AF_XDP without copying.
    pub zero_copy: bool,
}

impl XdpFeatures {
    /// Asks about the interface with index `interface`; `None` when this kernel cannot say.
    ///
    /// # Errors
    /// What the request ran into, other than a kernel without the family.
    pub fn query(interface: u32) -> Result<Option<Self>, NicError> {
        let failed = NicError::request("ask for the XDP features of an interface");
        let mut netlink = Netlink::open(libc::NETLINK_GENERIC, 0).map_err(&failed)?;
        let family = match family(&mut netlink) {
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
            family => family.map_err(&failed)?,
        };
        let mut request = generic(NETDEV_CMD_DEV_GET);
        put_attribute(&mut request, NETDEV_A_DEV_IFINDEX, &interface.to_ne_bytes());
        let mut features = None;
        netlink
            .ask(family, 0, &request, |message| {
                features = find(message.body, NETDEV_A_DEV_XDP_FEATURES).map(Self::from_bits);
            })
            .map_err(&failed)?;
        Ok(features)
    }

    const fn from_bits(bits: u64) -> Self {
        Self {
            native: bits & XDP_ACT_BASIC != 0,
            redirect: bits & XDP_ACT_REDIRECT != 0,
            zero_copy: bits & XDP_ACT_XSK_ZEROCOPY != 0,
        }
    }
}

fn family(netlink: &mut Netlink) -> io::Result<u16> {
    let mut request = generic(CTRL_CMD_GETFAMILY);
    put_attribute(&mut request, CTRL_ATTR_FAMILY_NAME, b"netdev\0");
    let mut family = None;
    netlink.ask(libc::GENL_ID_CTRL as u16, 0, &request, |message| {
        family = find(message.body, CTRL_ATTR_FAMILY_ID);
    })?;
    family
        .and_then(|family| u16::try_from(family).ok())
        .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOENT))
}

fn generic(command: u8) -> Vec<u8> {
    vec![command, GENL_VERSION, 0, 0]
}

fn find(body: &[u8], wanted: u16) -> Option<u64> {
    let (_, value) = attributes(body.get(HEADER..)?).find(|(kind, _)| *kind == wanted)?;
    unsigned(value)
}
