//! An archive read back.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::DiagError;
use super::archive::Members;
use super::manifest::{FORMAT, Manifest};
use crate::control::alert::view::{AlertList, AlertStatistics};
use crate::control::histograms::Histograms;
use crate::control::operator::View;
use crate::control::status::Status;
use crate::control::store::{LoggedEvent, Recorded, Sample};

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InterfaceFacts {
    /// Its name.
    pub name: String,
    /// Its driver.
    pub driver: Option<String>,
    /// `up`, `no_carrier` or `down`.
    pub link: String,
    /// Longest packet behind the Ethernet header, bytes.
    pub mtu: u32,
    /// RX queues.
    pub queues: u32,
    /// Sizes of the receive ring.
    pub ring: Option<String>,
    /// Where an XDP program is attached.
    pub xdp: String,
    /// Whether the driver runs XDP programs and redirects.
    pub native_xdp: Option<bool>,
    /// Whether it has AF_XDP without copying.
    pub zero_copy: Option<bool>,
    /// Whether the device takes VLAN tags out of packets.
    pub rx_vlan_offload: Option<bool>,
    /// Whether the kernel merges received segments.
    pub gro: Option<bool>,
    /// How many programs want packets for others.
    pub promiscuity: u32,
    /// Packets received since the interface was made.
    pub rx_packets: u64,
    /// Packets for which the device had no buffer.
    pub rx_missed: u64,
    /// Packets that overran the device's FIFO.
    pub rx_fifo_errors: u64,
    /// Packets that were damaged.
    pub rx_errors: u64,
}

/// What is pinned for an interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MapFacts {
    /// Where.
    pub directory: String,
    /// The mode in force.
    pub mode: Option<String>,
    /// The split in force, percent.
    pub split_percent: Option<f64>,
    /// Grows with each immediate switch.
    pub generation: Option<u32>,
    /// Time since the lease was renewed, seconds; `None` when none is needed.
    pub lease_age_s: Option<f64>,
    /// The program's counters, packets.
    pub counters: BTreeMap<String, u64>,
    /// What could not be read.
    pub errors: Vec<String>,
}

/// A thread of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ThreadFacts {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// `R` runs, `S` sleeps, `D` waits for a device; proc_pid_stat(5).
    pub state: String,
    /// Processor time in the program, seconds.
    pub user_s: f64,
    /// Processor time in the kernel, seconds.
    pub system_s: f64,
    /// The processor it ran on last.
    pub processor: u32,
    /// The function of the kernel it sleeps in, if the kernel tells.
    pub waits_in: String,
}

/// Everything of an archive that findings and plots are made of. What was not collected is `None` or empty; the manifest
/// says why.
#[derive(Debug)]
pub struct Collected {
    /// What is in the archive.
    pub manifest: Manifest,
    /// Counters and latencies.
    pub status: Option<Status>,
    /// Health, and where the rollout stands.
    pub view: Option<View>,
    /// Alerts.
    pub alerts: Option<AlertList>,
    /// What became of alerts.
    pub alert_statistics: Option<AlertStatistics>,
    /// Latency histograms.
    pub histograms: Option<Histograms>,
    /// Samples, or sums of them, in the order of time.
    pub samples: Vec<Sample>,
    /// Events.
    pub events: Vec<LoggedEvent>,
    /// Decisions that changed something.
    pub decisions: Vec<Recorded>,
    /// Network interfaces.
    pub interfaces: Vec<InterfaceFacts>,
    /// What is pinned.
    pub maps: Vec<MapFacts>,
    /// The daemon's threads.
    pub threads: Vec<ThreadFacts>,
    /// Log lines.
    pub log: Vec<String>,
    /// Parts that are there and not understood.
    pub damaged: Vec<String>,
}

impl Collected {
    /// Reads the parts of the archive that came from `path`.
    ///
    /// # Errors
    /// When it has no manifest, or that of another version. A damaged part is named in `damaged`.
    pub fn of(path: &Path, members: &Members) -> Result<Self, DiagError> {
        let foreign = |reason: String| DiagError::Foreign {
            path: path.into(),
            reason,
        };
        let manifest = members
            .get("manifest.json")
            .ok_or_else(|| foreign("it has no manifest.json".to_owned()))?;
        let manifest: Manifest = serde_json::from_slice(manifest).map_err(|error| foreign(error.to_string()))?;
        if manifest.format != FORMAT {
            let reason = format!(
                "its form is {} and this program knows {FORMAT}: use trim {}",
                manifest.format, manifest.version
            );
            return Err(foreign(reason));
        }
        let mut reading = Reading {
            members,
            damaged: Vec::new(),
        };
        Ok(Self {
            status: reading.json("status.json"),
            view: reading.json("health.json"),
            alerts: reading.json("alerts.json"),
            alert_statistics: reading.json("alert_statistics.json"),
            histograms: reading.json("histograms.json"),
            samples: reading.lines("samples.jsonl"),
            events: reading.lines("events.jsonl"),
            decisions: reading.lines("decisions.jsonl"),
            interfaces: reading.json("interfaces.json").unwrap_or_default(),
            maps: reading.json("kernel_maps.json").unwrap_or_default(),
            threads: reading.json("threads.json").unwrap_or_default(),
            log: reading.text("log.txt").lines().map(str::to_owned).collect(),
            damaged: reading.damaged,
            manifest,
        })
    }
}

struct Reading<'a> {
    members: &'a Members,
    damaged: Vec<String>,
}

impl Reading<'_> {
    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let read = serde_json::from_slice(self.members.get(name)?);
        read.map_err(|error| self.damaged.push(format!("{name}: {error}"))).ok()
    }

    fn lines<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let text = self.text(name);
        let mut values = Vec::new();
        for (number, line) in text.lines().enumerate() {
            match serde_json::from_str(line) {
                Ok(value) => values.push(value),
                Err(error) => {
                    self.damaged.push(format!("{name}, line {}: {error}", number + 1));
                    break;
                }
            }
        }
        values
    }

    fn text(&self, name: &str) -> String {
        let bytes = self.members.get(name).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }
}
