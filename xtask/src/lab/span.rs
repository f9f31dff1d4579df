//! A server and a client joined by a link, and an appliance that sees a mirror of it.
//!
//! ```text
//!   client                    server                             appliance
//!     c0 --------------------- s0 == mirror of both directions ==> m0 --- p0
//! ```

use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Namespace, VethOptions, VethPair};
use crate::command::output;
use crate::toolchain::built_lab_object;

/// The network layer below HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Link {
    /// Every link.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The server's address as it stands in a URL.
    pub const fn server(self) -> &'static str {
        match self {
            Self::Ipv4 => "10.77.0.1",
            Self::Ipv6 => "[fd77::1]",
        }
    }
}

/// How a [`Span`] is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanOptions {
    /// RX queues of the appliance's interface.
    pub queues: u32,
    /// Rate of the link between server and client, Mbit/s.
    pub megabits: u32,
    /// Whether the mirror puts each frame into VLAN 77, as a SPAN port on a trunk does.
    pub vlan: bool,
}

impl Default for SpanOptions {
    fn default() -> Self {
        Self {
            queues: 2,
            megabits: 1000,
            vlan: false,
        }
    }
}

/// The three namespaces and their links. All of [`Link`] work at once.
#[derive(Debug)]
pub struct Span {
    /// Where the web server runs; has the mirror's near end.
    pub server: Namespace,
    /// Where the clients run.
    pub client: Namespace,
    /// Where the appliance runs.
    pub appliance: Namespace,
}

/// Largest receive window that either end offers, bytes. The ring of a veth holds 256 packets, and a mirror loses what
/// finds it full; with windows so small a sender's burst takes a tenth of it.
const WINDOW: u32 = 32_768;

impl Span {
    /// The appliance's interface, in its namespace.
    pub const INTERFACE: &'static str = "p0";
    /// The near end of the mirror, in the server's namespace: a witness listens here, because a packet that XDP takes
    /// on the far end is not seen by packet sockets there.
    pub const MIRROR: &'static str = "m0";

    /// Makes namespaces, links and the mirror.
    ///
    /// # Errors
    /// When one of the commands fails: without root, for one.
    pub fn new(options: SpanOptions) -> Result<Self> {
        let span = Self {
            server: Namespace::new("server")?,
            client: Namespace::new("client")?,
            appliance: Namespace::new("appliance")?,
        };
        VethPair::new((&span.server, "s0"), (&span.client, "c0"), VethOptions::default())?;
        span.address(&span.server, "s0", 1)?;
        span.address(&span.client, "c0", 2)?;
        for (namespace, interface) in [(&span.server, "s0"), (&span.client, "c0")] {
            let rate = options.megabits;
            namespace.tc(&format!(
                "qdisc add dev {interface} root tbf rate {rate}mbit burst 128kb latency 50ms"
            ))?;
        }
        span.mirror(options.queues)?;
        if options.vlan {
            span.tag_mirror()?;
        }
        Ok(span)
    }

    /// Gives one end of the link its addresses, host number `host`, and bounds what a sender may have under way to it.
    fn address(&self, namespace: &Namespace, interface: &str, host: u8) -> Result<()> {
        namespace.ip(&format!("address add 10.77.0.{host}/24 dev {interface}"))?;
        namespace.ip(&format!("address add fd77::{host}/64 dev {interface} nodad"))?;
        let bounded = format!("dev {interface} window {WINDOW}");
        namespace.ip(&format!(
            "route replace 10.77.0.0/24 {bounded} scope link src 10.77.0.{host}"
        ))?;
        namespace.ip(&format!("-6 route replace fd77::/64 {bounded}")).map(drop)
    }

    /// Copies both directions of `s0` to the appliance.
    fn mirror(&self, queues: u32) -> Result<()> {
        let (near, far) = (Self::MIRROR, Self::INTERFACE);
        // Only mirrored packets are to pass here.
        let options = VethOptions {
            queues,
            ..VethOptions::default()
        };
        VethPair::silent((&self.server, near), (&self.appliance, far), options)?;
        self.server.tc("qdisc add dev s0 clsact")?;
        for direction in ["ingress", "egress"] {
            // Protocol `all` includes ARP and tagged packets.
            let filter = format!("filter add dev s0 {direction} protocol all prio 1 u32 match u32 0 0");
            self.server
                .tc(&format!("{filter} action mirred egress mirror dev {near}"))?;
        }
        Ok(())
    }

    /// Tags what leaves the mirror. VLAN offload is off there, so that the tag stands in the frame.
    fn tag_mirror(&self) -> Result<()> {
        let object = built_lab_object()?;
        let near = Self::MIRROR;
        self.server.tc(&format!("qdisc add dev {near} clsact"))?;
        let mut command = Command::new("tc");
        command.args(["-n", self.server.name(), "filter", "add", "dev", near, "egress"]);
        command
            .args(["bpf", "direct-action", "object-file"])
            .arg(object)
            .args(["section", "classifier"]);
        output(&mut command).map(drop)
    }

    /// Packets that the mirror could not deliver because the ring of the appliance's interface was full. They were
    /// lost before XDP could see them.
    ///
    /// # Errors
    /// When `ip` fails or says something unexpected.
    pub fn mirror_losses(&self) -> Result<u64> {
        let text = self.server.ip(&format!("-j -s link show {}", Self::MIRROR))?;
        let links: Value = serde_json::from_str(&text).context("`ip -j` printed no JSON")?;
        links[0]["stats64"]["tx"]["dropped"]
            .as_u64()
            .context("`ip -j -s link` names no dropped packets")
    }
}
