//! A running capture as the control wing sees it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use trim_common::reason::{Class, Reason};
use trim_common::strategy::{Mode, Split};

use super::accounts::{Accounts, Lost};
use super::alert::known::Sight;
use super::collect::KernelSide;
use super::status::{
    Bytes, InterfaceStatus, OutputStatus, Packets, Status, StrategyStatus, SwitchStatus, http_total, strategy_status,
};
use super::switch::{Promised, Reach, Switch, SwitchTime};
use crate::kernel::KernelError;
use crate::kernel::clock;
use crate::kernel::maps::{CountersMap, Counts};
use crate::kernel::nic::{LinkMonitor, LinkState};
use crate::kernel::xsk::{QueueLoss, StatisticsReader};
use crate::shared::{Lane, Latency, Shared, ThreadTotals};

/// What can be read of one interface while it is captured.
pub struct InterfaceWatch {
    /// What does not change.
    pub status: InterfaceStatus,
    /// The XDP program's counters.
    pub counters: CountersMap,
    /// The sockets' counters, one reader per queue.
    pub sockets: Vec<StatisticsReader>,
    /// The state of its link.
    pub link: LinkMonitor,
}

/// A running capture: everything that can be asked of it and told to it.
pub struct Appliance {
    switch: Switch,
    shared: Arc<Shared>,
    interfaces: Vec<InterfaceWatch>,
    directory: String,
    max_flows: u64,
    started: Instant,
    last_switch: Option<SwitchTime>,
    slowest_switch: Option<SwitchStatus>,
    beats: Vec<u64>,
}

impl Appliance {
    /// Puts the parts together.
    pub fn new(
        switch: Switch,
        shared: Arc<Shared>,
        interfaces: Vec<InterfaceWatch>,
        directory: String,
        max_flows: u64,
    ) -> Self {
        Self {
            beats: vec![0; shared.threads.len()],
            switch,
            shared,
            interfaces,
            directory,
            max_flows,
            started: Instant::now(),
            last_switch: None,
            slowest_switch: None,
        }
    }

    /// What the data path shares with us.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// For how long it has been running.
    pub fn uptime(&self) -> std::time::Duration {
        self.started.elapsed()
    }

    /// Puts a mode and a split in force; `None` leaves the split as it is.
    ///
    /// # Errors
    /// When the kernel refuses the write.
    pub fn switch(
        &mut self,
        mode: Mode,
        split: Option<Split>,
        reach: Reach,
        promised: Promised,
    ) -> Result<(), KernelError> {
        let split = split.unwrap_or(self.switch.policy().split());
        let time = self.switch.switch(mode, split, reach, promised)?;
        tracing::info!(mode = mode.name(), split_percent = percent(split), ?reach, "switched");
        self.last_switch = Some(time);
        Ok(())
    }

    /// How long the last switch took, as far as is known by now.
    pub fn last_switch(&mut self) -> Option<SwitchStatus> {
        let time = self.last_switch?;
        let status = SwitchStatus {
            microseconds: self.switch.last_old_packet(time) as f64 / 1e3,
            write_microseconds: time.write_ns as f64 / 1e3,
        };
        if self
            .slowest_switch
            .is_none_or(|slowest| slowest.microseconds < status.microseconds)
        {
            self.slowest_switch = Some(status);
        }
        Some(status)
    }

    /// The slowest switch since the capture began.
    pub const fn slowest_switch(&self) -> Option<SwitchStatus> {
        self.slowest_switch
    }

    /// Renews the lease, if the threads of the data path have moved since the last time. So a capture that is stuck
    /// loses its lease as one that is dead does.
    ///
    /// # Errors
    /// When the kernel refuses the write.
    pub fn renew_lease(&mut self) -> Result<(), KernelError> {
        let mut is_alive = true;
        for (last, thread) in self.beats.iter_mut().zip(&self.shared.threads) {
            let beat = thread.beat.get();
            is_alive &= beat != *last;
            *last = beat;
        }
        if is_alive {
            self.switch.renew_lease()?;
            self.shared.lease_renewed.set(clock::monotonic());
        }
        Ok(())
    }

    /// Notices links that went up or down.
    pub fn watch_links(&mut self) {
        for interface in &mut self.interfaces {
            match interface.link.changed() {
                Ok(Some(LinkState::Up)) => tracing::info!(interface = interface.status.name, "the link is up"),
                Ok(Some(state)) => {
                    tracing::warn!(
                        interface = interface.status.name,
                        state = state.name(),
                        "the link is lost"
                    );
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(interface = interface.status.name, %error, "cannot watch the link");
                }
            }
        }
    }

    /// Puts the packet counts of each interface on its board, where output files take them from.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    pub fn publish_interfaces(&self) -> Result<(), KernelError> {
        for (interface, board) in self.interfaces.iter().zip(&self.shared.interfaces) {
            let counts = interface.counters.read()?;
            board.seen.set(counts.get(Reason::Seen));
            board
                .lost
                .set(counts.of_class(Class::Loss) + socket_losses([interface]).total());
        }
        Ok(())
    }

    /// What evidence needs of the kernel's maps.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn kernel_side(&mut self) -> Result<KernelSide, KernelError> {
        let counts = self.kernel_counts()?;
        let policy = self.switch.refresh()?;
        let mode = policy.mode();
        Ok(KernelSide {
            mode,
            share: match mode {
                Mode::Scanning => 1.0,
                Mode::AbTest => percent(policy.split()) / 100.0,
                Mode::Legacy | Mode::Auto | Mode::Comparison => 0.0,
            },
            accounts: self.accounts(&counts, &self.shared.totals()),
            max_flows: self.max_flows,
        })
    }

    /// Everything, now, with latencies that were asked for already.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    pub fn status_with(&mut self, latency: &Latency) -> Result<Status, KernelError> {
        let totals = self.shared.totals();
        let counts = self.kernel_counts()?;
        let accounts = self.accounts(&counts, &totals);
        let policy = self.switch.policy();
        let switch = self.last_switch();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uptime_s: self.started.elapsed().as_secs_f64(),
            mode: policy.mode().name().to_owned(),
            split_percent: percent(policy.split()),
            generation: policy.generation(),
            balance: accounts.balance(),
            overloads: self.shared.overload.count(),
            packets: Packets {
                seen: accounts.seen,
                written: accounts.written,
                omitted: accounts.omitted(),
                lost: accounts.lost.total(),
            },
            accounts,
            bytes: Bytes {
                received: totals.lanes.iter().map(|lane| lane.counts.bytes_in).sum(),
                written: totals.lanes.iter().map(|lane| lane.counts.bytes_out).sum(),
            },
            http: http_total(&totals.lanes),
            strategies: strategies(&totals, latency),
            switch,
            interfaces: self.interface_statuses(),
            files: OutputStatus {
                directory: self.directory.clone(),
                bytes: totals.bytes_written,
                out_of_order: totals.out_of_order,
                held_bytes: totals.held_bytes,
                exemplars_saved: self.shared.exemplars.saved.get(),
                exemplars_lost: self.shared.exemplars.lost.get(),
            },
            kernel: Reason::ALL
                .iter()
                .map(|&reason| (reason.name().to_owned(), counts.get(reason)))
                .collect(),
        })
    }

    /// What alerts are judged by.
    ///
    /// # Errors
    /// When the kernel's counters cannot be read.
    pub fn sight(&self) -> Result<Sight, KernelError> {
        let links = self.interfaces.iter();
        let counts = self.kernel_counts()?;
        Ok(Sight {
            links: links
                .map(|watch| (watch.status.name.clone(), watch.link.state().name().to_owned()))
                .collect(),
            accounts: self.accounts(&counts, &self.shared.totals()),
        })
    }

    fn interface_statuses(&self) -> Vec<InterfaceStatus> {
        let status = |watch: &InterfaceWatch| InterfaceStatus {
            link: watch.link.state().name().to_owned(),
            ..watch.status.clone()
        };
        self.interfaces.iter().map(status).collect()
    }

    fn kernel_counts(&self) -> Result<Counts, KernelError> {
        let mut all = Counts::default();
        for interface in &self.interfaces {
            for (sum, count) in all.0.iter_mut().zip(interface.counters.read()?.0) {
                *sum += count;
            }
        }
        Ok(all)
    }

    fn accounts(&self, counts: &Counts, totals: &ThreadTotals) -> Accounts {
        let sockets = socket_losses(&self.interfaces);
        let mut accounts = Accounts {
            seen: counts.get(Reason::Seen),
            passed: counts.of_class(Class::Passed),
            omitted_by_kernel: counts.of_class(Class::Policy),
            omitted_by_trimmer: totals.lanes.iter().map(|lane| lane.counts.omitted).sum(),
            lost: Lost {
                no_socket: counts.of_class(Class::Loss),
                rx_ring_full: sockets.rx_ring_full,
                fill_ring_empty: sockets.fill_ring_empty,
                rx_dropped: sockets.other_dropped,
                queue_full: totals.queue_full,
                write_failed: totals.write_failed,
            },
            written: totals.written,
            in_flight: 0,
        };
        accounts.settle_in_flight(counts.of_class(Class::Delivered), totals.received);
        accounts
    }
}

fn socket_losses<'a>(interfaces: impl IntoIterator<Item = &'a InterfaceWatch>) -> QueueLoss {
    let mut loss = QueueLoss::default();
    for reader in interfaces.into_iter().flat_map(|interface| &interface.sockets) {
        match reader.read() {
            Ok(statistics) => loss += statistics.loss(),
            Err(error) => tracing::warn!(%error, "cannot read a socket's counters"),
        }
    }
    loss
}

fn strategies(totals: &ThreadTotals, latency: &Latency) -> BTreeMap<String, StrategyStatus> {
    Lane::ALL
        .iter()
        .map(|&lane| (lane, &totals.lanes[lane.index()]))
        .filter(|(lane, totals)| matches!(lane, Lane::Legacy | Lane::Scanning) || totals.counts.packets > 0)
        .map(|(lane, totals)| (lane.name().to_owned(), strategy_status(lane, totals, latency)))
        .collect()
}

/// A split in percent, to the hundredth that can be asked for.
pub fn percent(split: Split) -> f64 {
    let points = split.threshold() as f64 * 10_000.0 / Split::ALL.threshold() as f64;
    points.round() / 100.0
}
