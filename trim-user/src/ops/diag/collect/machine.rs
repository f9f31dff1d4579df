//! What proc(5), netlink and the pinned maps tell.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use trim_common::reason::Reason;

use super::Collecting;
use crate::control::appliance::percent;
use crate::kernel::maps::{CountersMap, LeaseMap, PolicyMap};
use crate::kernel::nic::{Interface, LinkState};
use crate::kernel::{clock, pins};
use crate::ops::diag::collected::{InterfaceFacts, MapFacts, ThreadFacts};
use crate::ops::diag::manifest::Daemon;

/// Files of proc(5) about the machine, and what they become.
const MACHINE: [&str; 10] = [
    "version",
    "uptime",
    "loadavg",
    "meminfo",
    "stat",
    "softirqs",
    "interrupts",
    "pressure/cpu",
    "pressure/memory",
    "pressure/io",
];
/// Files of proc(5) about the process. Not its environment and not its memory.
const PROCESS: [&str; 6] = ["status", "limits", "io", "cgroup", "sched", "smaps_rollup"];

pub(super) fn collect(collecting: &mut Collecting<'_>, daemon: &Daemon) {
    let interfaces = Interface::list().map(|found| found.iter().map(facts).collect::<Vec<_>>());
    collecting.json("interfaces.json", interfaces);
    for name in MACHINE {
        let text = fs::read_to_string(Path::new("/proc").join(name));
        collecting.text(&format!("machine/{}.txt", name.replace('/', "-")), text, None);
    }
    maps(collecting);
    match daemon.pid() {
        Some(pid) => process(collecting, pid),
        None => {
            for name in ["threads.json".to_owned()]
                .into_iter()
                .chain(PROCESS.map(|name| format!("process/{name}.txt")))
            {
                collecting.missing(&name, "there is no process");
            }
        }
    }
}

fn process(collecting: &mut Collecting<'_>, pid: u32) {
    let folder = Path::new("/proc").join(pid.to_string());
    for name in PROCESS {
        collecting.text(
            &format!("process/{name}.txt"),
            fs::read_to_string(folder.join(name)),
            None,
        );
    }
    collecting.json("threads.json", threads(&folder));
}

fn threads(folder: &Path) -> std::io::Result<Vec<ThreadFacts>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(folder.join("task"))? {
        let path = entry?.path();
        let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
        threads.extend(thread(&read("stat"), read("wchan")));
    }
    threads.sort_by_key(|thread: &ThreadFacts| thread.id);
    Ok(threads)
}

/// From a line of stat (proc_pid_stat(5)); the name, in parentheses, may hold anything.
fn thread(stat: &str, waits_in: String) -> Option<ThreadFacts> {
    let (head, rest) = stat.rsplit_once(')')?;
    let (id, name) = head.split_once('(')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let seconds = |index: usize| {
        let ticks: u64 = fields.get(index)?.parse().ok()?;
        Some(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    };
    Some(ThreadFacts {
        id: id.trim().parse().ok()?,
        name: name.to_owned(),
        state: (*fields.first()?).to_owned(),
        user_s: seconds(11)?,
        system_s: seconds(12)?,
        processor: fields.get(36)?.parse().ok()?,
        waits_in,
    })
}

fn facts(interface: &Interface) -> InterfaceFacts {
    let link = &interface.link;
    InterfaceFacts {
        name: link.name.clone(),
        driver: interface.driver.clone(),
        link: LinkState::of(link).name().to_owned(),
        mtu: link.mtu,
        queues: interface.queues,
        ring: interface.rings.map(|rings| format!("{rings:?}")),
        xdp: format!("{:?}", link.xdp).to_lowercase(),
        native_xdp: interface.xdp.map(|xdp| xdp.native && xdp.redirect),
        zero_copy: interface.xdp.map(|xdp| xdp.zero_copy),
        rx_vlan_offload: interface.offloads.map(|offloads| offloads.rx_vlan),
        gro: interface.offloads.map(|offloads| offloads.gro),
        promiscuity: link.promiscuity,
        rx_packets: link.counters.rx_packets,
        rx_missed: link.counters.rx_missed,
        rx_fifo_errors: link.counters.rx_fifo_errors,
        rx_errors: link.counters.rx_errors,
    }
}

/// Reads what a daemon, alive or not, has pinned. Only reads.
fn maps(collecting: &mut Collecting<'_>) {
    let name = "kernel_maps.json";
    match pins::directories() {
        Ok(directories) if directories.is_empty() => {
            collecting.missing(
                name,
                "nothing is pinned in this network namespace: no capture with `capture.pin` runs or was killed here",
            );
        }
        Ok(directories) => {
            let facts: Vec<MapFacts> = directories.iter().map(|directory| map_facts(directory)).collect();
            collecting.json(name, Ok::<_, String>(facts));
        }
        Err(error) => collecting.missing(name, format!("the BPF file system cannot be read: {error}")),
    }
}

fn map_facts(directory: &Path) -> MapFacts {
    let mut errors = Vec::new();
    let mut keep = |error: String| errors.push(error);
    let policy = PolicyMap::open(directory).and_then(|map| map.get());
    let policy = policy.map_err(|error| keep(error.to_string())).ok();
    let renewed = LeaseMap::open(directory).and_then(|map| map.renewed());
    let renewed = renewed.map_err(|error| keep(error.to_string())).ok();
    let counts = CountersMap::open(directory).and_then(|map| map.read());
    let counts = counts.map_err(|error| keep(error.to_string())).ok();
    let counters: BTreeMap<String, u64> = counts
        .iter()
        .flat_map(|counts| Reason::ALL.map(|reason| (reason.name().to_owned(), counts.get(reason))))
        .collect();
    MapFacts {
        directory: directory.display().to_string(),
        mode: policy.map(|policy| policy.mode().name().to_owned()),
        split_percent: policy.map(|policy| percent(policy.split())),
        generation: policy.map(|policy| policy.generation()),
        lease_age_s: renewed
            .filter(|renewed| *renewed > 0)
            .map(|renewed| clock::monotonic().saturating_sub(renewed) as f64 / 1e9),
        counters,
        errors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_of_this_process_are_described() {
        let threads = threads(Path::new("/proc/self")).unwrap();
        assert!(!threads.is_empty());
        assert!(
            threads
                .iter()
                .all(|thread| !thread.name.is_empty() && thread.state.len() == 1)
        );
    }
}
