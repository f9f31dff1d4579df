//! Pairs of virtual Ethernet interfaces.

use anyhow::Result;

use super::Namespace;
use crate::command::output;

/// How a [`VethPair`] is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VethOptions {
    /// RX and TX queues of both ends.
    pub queues: u32,
    /// Largest packet, bytes without the Ethernet header.
    pub mtu: u32,
}

impl Default for VethOptions {
    fn default() -> Self {
        Self { queues: 1, mtu: 1500 }
    }
}

/// Two interfaces joined back to back, each in a namespace; they go with either namespace.
#[derive(Clone, Copy, Debug)]
pub struct VethPair;

impl VethPair {
    /// Makes the pair, both ends up and without offloads.
    ///
    /// # Errors
    /// When `ip` or `ethtool` fails.
    pub fn new(one: (&Namespace, &str), other: (&Namespace, &str), options: VethOptions) -> Result<Self> {
        Self::make(one, other, options, "eui64")
    }

    /// Makes a pair like [`VethPair::new`] whose ends have no IPv6 address, so that they send nothing by themselves:
    /// neither neighbour discovery nor multicast reports.
    ///
    /// # Errors
    /// When `ip` or `ethtool` fails.
    pub fn silent(one: (&Namespace, &str), other: (&Namespace, &str), options: VethOptions) -> Result<Self> {
        Self::make(one, other, options, "none")
    }

    fn make(one: (&Namespace, &str), other: (&Namespace, &str), options: VethOptions, addresses: &str) -> Result<Self> {
        let queues = format!("numrxqueues {0} numtxqueues {0}", options.queues);
        one.0.ip(&format!(
            "link add {} {queues} mtu {mtu} type veth peer name {} {queues} mtu {mtu} netns {}",
            one.1,
            other.1,
            other.0.name(),
            mtu = options.mtu,
        ))?;
        for (namespace, interface) in [one, other] {
            offloads_off(namespace, interface)?;
            namespace.ip(&format!("link set {interface} addrgenmode {addresses} up"))?;
        }
        Ok(Self)
    }
}

/// Switches off what would show a capture something else than the wire: segmentation offload (64 KiB packets),
/// receive offload (merged packets), checksum offload (unfinished checksums) and VLAN offload (hidden tags).
///
/// # Errors
/// When `ethtool` fails.
pub fn offloads_off(namespace: &Namespace, interface: &str) -> Result<()> {
    let features = ["tso", "gso", "gro", "tx", "txvlan", "rxvlan"];
    let mut command = namespace.command("ethtool");
    command
        .args(["-K", interface])
        .args(features.iter().flat_map(|feature| [feature, "off"]));
    output(&mut command).map(drop)
}
