//! `trim status`.

use std::fmt::Write as _;

use clap::Args;

use super::output::{bytes, nanoseconds, number, share};
use super::{DaemonArgs, Exit, output};
use crate::control::accounts::Accounts;
use crate::control::client::Client;
use crate::control::status::{InterfaceStatus, Status, StrategyStatus};

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
}

pub(super) fn run(args: &StatusArgs) -> anyhow::Result<Exit> {
    let status = Client::new(&args.daemon.socket()).status()?;
    if args.daemon.json {
        output::json(&status)?;
    } else {
        output::text(&render(&status))?;
    }
    Ok(Exit::Good)
}

/// A status as a person reads it.
pub(super) fn render(status: &Status) -> String {
    let mut text = String::new();
    let split = if status.mode == "ab_test" {
        format!(", {:.0} % scanning", status.split_percent)
    } else {
        String::new()
    };
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        text,
        "mode          {}{split} (generation {})",
        status.mode, status.generation
    );
    let _ = writeln!(text, "uptime        {:.0} s", status.uptime_s);
    for interface in &status.interfaces {
        let _ = writeln!(text, "interface     {}", interface_line(interface));
    }
    text.push_str(&accounts_table(&status.accounts, status.balance));
    let _ = writeln!(
        text,
        "bytes         {} in, {} kept ({}); files {}",
        bytes(status.bytes.received),
        bytes(status.bytes.written),
        share(status.bytes.written, status.bytes.received),
        bytes(status.files.bytes)
    );
    let http = &status.http;
    let _ = writeln!(
        text,
        "http          {} messages; header {}, body {} of which {} cut, unsure {}, undecided {}, opaque {}",
        number(http.messages),
        bytes(http.header_bytes),
        bytes(http.body_bytes),
        bytes(http.body_bytes_cut),
        bytes(http.unsure_bytes),
        bytes(http.undecided_bytes),
        bytes(http.opaque_bytes)
    );
    if let Some(cut) = status.kernel.get("body_cut").filter(|&&cut| cut > 0) {
        let _ = writeln!(
            text,
            "in the kernel {} packets ({} of those written) came without their body",
            number(*cut),
            share(*cut, status.packets.written)
        );
    }
    text.push_str(&strategies_table(&status.strategies));
    if let Some(switch) = &status.switch {
        let _ = writeln!(
            text,
            "last switch   {:.1} us to the last packet with the old tag",
            switch.microseconds
        );
    }
    let _ = writeln!(text, "output        {}", status.files.directory);
    text
}

fn interface_line(interface: &InterfaceStatus) -> String {
    format!(
        "{}: {}, XDP {}, AF_XDP {}, {} queue{}{}",
        interface.name,
        interface.link,
        interface.xdp_mode,
        interface.xsk_mode,
        interface.queues,
        if interface.queues == 1 { "" } else { "s" },
        if interface.is_pinned { ", pinned" } else { "" }
    )
}

pub(super) fn accounts_table(accounts: &Accounts, balance: i64) -> String {
    let lost = &accounts.lost;
    let mut text = format!(
        "packets       seen {}  written {}  omitted {}  passed {}  lost {}  in flight {}  balance {balance}\n",
        number(accounts.seen),
        number(accounts.written),
        number(accounts.omitted()),
        number(accounts.passed),
        number(lost.total()),
        number(accounts.in_flight),
    );
    if lost.total() > 0 {
        let _ = writeln!(
            text,
            "lost at       rx_ring_full {}  fill_ring_empty {}  rx_dropped {}  queue_full {}  write_failed {}  no_socket {}",
            number(lost.rx_ring_full),
            number(lost.fill_ring_empty),
            number(lost.rx_dropped),
            number(lost.queue_full),
            number(lost.write_failed),
            number(lost.no_socket)
        );
    }
    text
}

fn strategies_table(strategies: &std::collections::BTreeMap<String, StrategyStatus>) -> String {
    let mut text = format!(
        "{:<13} {:>10} {:>12} {:>12} {:>12} {:>10} {:>10} {:>10}\n",
        "strategy", "flows", "packets", "bytes in", "kept", "p50", "p99", "max"
    );
    for (name, strategy) in strategies {
        let latency = strategy.latency_ns;
        let _ = writeln!(
            text,
            "{name:<13} {:>10} {:>12} {:>12} {:>12} {:>10} {:>10} {:>10}",
            number(strategy.flows),
            number(strategy.packets),
            bytes(strategy.bytes_in),
            bytes(strategy.bytes_out),
            nanoseconds(latency.p50),
            nanoseconds(latency.p99),
            nanoseconds(latency.max)
        );
    }
    text
}
