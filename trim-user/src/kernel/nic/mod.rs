//! Network interfaces: what they are, what they can do, and whether they live.
//!
//! Everything comes from system calls, nothing from `/sys/class/net`, which shows the network namespace it was mounted
//! in and not the one this process is in.

mod error;
mod ethtool;
mod features;
mod hash;
mod link;
mod monitor;
mod netlink;
mod promiscuous;

pub use error::NicError;
pub use ethtool::{Channels, Ethtool, Offloads, RingSize};
pub use features::XdpFeatures;
pub use hash::{FlowHash, HashKey};
pub use link::{Link, LinkCounters, XdpAttachment};
pub use monitor::{LinkMonitor, LinkState};
pub use promiscuous::Promiscuous;

use std::ffi::CString;
use std::io;

/// The index of the interface called `name` in this network namespace.
///
/// # Errors
/// There is none.
pub fn index_of(name: &str) -> Result<u32, NicError> {
    let unknown = |source| NicError::Unknown {
        name: name.into(),
        source,
    };
    let text = CString::new(name).map_err(|_| unknown(io::ErrorKind::InvalidInput.into()))?;
    // SAFETY: the text is a live local that ends with a zero byte.
    match unsafe { libc::if_nametoindex(text.as_ptr()) } {
        0 => Err(unknown(io::Error::last_os_error())),
        index => Ok(index),
    }
}

/// An interface and what it can do for a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its state and counters.
    pub link: Link,
    /// The name of its driver.
    pub driver: Option<String>,
    /// Its RX queues; at least one.
    pub queues: u32,
    /// The size of its receive rings.
    pub rings: Option<RingSize>,
    /// The offloads that matter.
    pub offloads: Option<Offloads>,
    /// What its driver can do with XDP; `None` when this kernel (before 6.3) does not say.
    pub xdp: Option<XdpFeatures>,
}

impl Interface {
    /// Asks for everything about the interface called `name`.
    ///
    /// # Errors
    /// There is none, or the kernel refused to answer.
    pub fn query(name: &str) -> Result<Self, NicError> {
        Self::describe(Link::query(index_of(name)?)?)
    }

    /// Every interface of this network namespace. One that goes away while it is asked for is left out.
    ///
    /// # Errors
    /// The kernel refused to answer.
    pub fn list() -> Result<Vec<Self>, NicError> {
        let interfaces = Link::list()?.into_iter().map(|link| (link.index, Self::describe(link)));
        let present =
            interfaces.filter(|(index, found)| found.is_ok() || !matches!(Link::query(*index), Err(NicError::Gone(_))));
        present.map(|(_, found)| found).collect()
    }

    fn describe(link: Link) -> Result<Self, NicError> {
        let ethtool = Ethtool::open(&link.name)?;
        let channels = ethtool.channels()?;
        Ok(Self {
            driver: ethtool.driver()?,
            // A driver that cannot say has the queues it was made with, mostly one.
            queues: channels.map_or(link.rx_queues, |channels| channels.rx).max(1),
            rings: ethtool.rings()?,
            offloads: ethtool.offloads()?,
            xdp: XdpFeatures::query(link.index)?,
            link,
        })
    }
}
