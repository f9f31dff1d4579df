//! `trim interfaces`.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;

use super::{Exit, output};
use crate::kernel::nic::{Interface, LinkState};

#[derive(Debug, Args)]
pub(super) struct InterfacesArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What can be said of an interface; `null` where the kernel or the driver does not tell.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    driver: Option<String>,
    link: &'static str,
    mtu: u32,
    queues: u32,
    native_xdp: Option<bool>,
    zero_copy: Option<bool>,
    rx_vlan_offload: Option<bool>,
    remark: Option<&'static str>,
}

const VLAN_REMARK: &str = "rx-vlan-offload hides VLAN tags from XDP: `ethtool -K NAME rxvlan off`";

impl From<Interface> for Row {
    fn from(interface: Interface) -> Self {
        let rx_vlan_offload = interface.offloads.map(|offloads| offloads.rx_vlan);
        Self {
            link: LinkState::of(&interface.link).name(),
            mtu: interface.link.mtu,
            driver: interface.driver,
            queues: interface.queues,
            native_xdp: interface.xdp.map(|xdp| xdp.native && xdp.redirect),
            zero_copy: interface.xdp.map(|xdp| xdp.zero_copy),
            rx_vlan_offload,
            remark: (rx_vlan_offload == Some(true)).then_some(VLAN_REMARK),
            name: interface.link.name,
        }
    }
}

pub(super) fn run(args: &InterfacesArgs) -> anyhow::Result<Exit> {
    let rows: Vec<Row> = Interface::list()?.into_iter().map(Row::from).collect();
    if args.json {
        output::json(&rows)?;
    } else {
        output::text(&table(&rows))?;
    }
    Ok(Exit::Good)
}

fn table(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<16} {:<12} {:<10} {:>6} {:>7} {:<10} {:<10} {}\n",
        "interface", "driver", "link", "mtu", "queues", "native xdp", "zero-copy", "rx vlan offload"
    );
    for row in rows {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{:<16} {:<12} {:<10} {:>6} {:>7} {:<10} {:<10} {}",
            row.name,
            row.driver.as_deref().unwrap_or("unknown"),
            row.link,
            row.mtu,
            row.queues,
            word(row.native_xdp),
            word(row.zero_copy),
            word(row.rx_vlan_offload)
        );
        if let Some(remark) = row.remark {
            let _ = writeln!(text, "  {}", remark.replace("NAME", &row.name));
        }
    }
    text
}

const fn word(answer: Option<bool>) -> &'static str {
    match answer {
        Some(true) => "yes",
        Some(false) => "no",
        None => "unknown",
    }
}
