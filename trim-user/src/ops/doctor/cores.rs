//! Processors: how many, who shares one, where interrupts go, how fast they may run.

use std::collections::BTreeSet;

use super::text::{joined, list, read};
use crate::config::Pipeline;
use crate::kernel::affinity;
use crate::kernel::nic::{Ethtool, Interface};
use crate::ops::finding::{About, Report};

const CPUS: &str = "/sys/devices/system/cpu";

pub(super) fn examine(pipeline: &Pipeline, interfaces: &[Interface], report: &mut Report) {
    let allowed = affinity::allowed_cpus();
    let mut about = report.about("cores");
    let queues = interfaces.iter().map(|interface| interface.queues as usize).sum();
    count(&allowed, queues, &mut about);
    configured(pipeline, &allowed, &mut about);
    let siblings: Vec<BTreeSet<usize>> = allowed.iter().filter_map(|&cpu| siblings_of(cpu)).collect();
    shared(pipeline, &siblings, &mut about);
    governor(&governors(&allowed), &mut about);
    let text = read("/proc/interrupts").unwrap_or_default();
    for interface in interfaces {
        let mut about = report.about(&interface.link.name);
        let bus = Ethtool::open(&interface.link.name)
            .and_then(|it| it.bus())
            .ok()
            .flatten();
        interrupts(
            interface,
            &handled(&text, &interface.link.name, bus.as_deref()),
            &mut about,
        );
        node(bus.as_deref(), pipeline, &mut about);
    }
}

fn count(allowed: &[usize], queues: usize, about: &mut About<'_>) {
    let found = format!(
        "{} may be used ({}), {queues} RX queues",
        allowed.len(),
        joined(allowed)
    );
    if allowed.is_empty() {
        about.note("count", "unknown", "the system does not tell");
    } else if queues > allowed.len() {
        about.advise(
            "count",
            found,
            "one thread serves several queues: more queues than processors gain nothing and take memory each",
            format!("ethtool -L NAME combined {}", allowed.len()),
        );
    } else {
        about.ok("count", found);
    }
}

fn asked(pipeline: &Pipeline) -> Vec<usize> {
    let lists = [
        &pipeline.receive_cores,
        &pipeline.legacy_cores,
        &pipeline.scanning_cores,
    ];
    lists
        .into_iter()
        .flatten()
        .copied()
        .chain(pipeline.writer_core)
        .collect()
}

fn configured(pipeline: &Pipeline, allowed: &[usize], about: &mut About<'_>) {
    let asked = asked(pipeline);
    let absent: Vec<usize> = asked.iter().copied().filter(|core| !allowed.contains(core)).collect();
    if !absent.is_empty() {
        return about.fail(
            "layout",
            format!("{} configured, but not to be had", joined(&absent)),
            "threads for them run anywhere",
            format!("name others of {} in `pipeline`", joined(allowed)),
        );
    }
    let distinct: BTreeSet<usize> = asked.iter().copied().collect();
    if distinct.len() < asked.len() {
        return about.warn(
            "layout",
            format!("{} configured, some twice", joined(&asked)),
            "threads on one processor wait for each other",
            "give each thread of `pipeline` a core of its own",
        );
    }
    about.ok(
        "layout",
        if asked.is_empty() {
            "chosen by `trim`".to_owned()
        } else {
            joined(&asked)
        },
    );
}

/// The processors that share a core with this one, itself among them.
fn siblings_of(cpu: usize) -> Option<BTreeSet<usize>> {
    let text = read(format!("{CPUS}/cpu{cpu}/topology/thread_siblings_list"))?;
    Some(list(&text).into_iter().collect())
}

fn shared(pipeline: &Pipeline, siblings: &[BTreeSet<usize>], about: &mut About<'_>) {
    if siblings.is_empty() {
        return about.note("smt", "unknown", "/sys does not tell which processors share a core");
    }
    let distinct: BTreeSet<&BTreeSet<usize>> = siblings.iter().filter(|set| set.len() > 1).collect();
    if distinct.is_empty() {
        return about.ok("smt", "no two processors share a core (read in /sys)");
    }
    let asked = asked(pipeline);
    let clash = distinct
        .iter()
        .find(|set| asked.iter().filter(|core| set.contains(core)).count() > 1);
    match clash {
        Some(set) => about.warn(
            "smt",
            format!(
                "{} share one core (read in /sys)",
                joined(&set.iter().copied().collect::<Vec<_>>())
            ),
            "two threads of `pipeline` on one core are slower than on two",
            "name one processor of each core in `pipeline`",
        ),
        None => about.note(
            "smt",
            format!("{} cores have more than one processor (read in /sys)", distinct.len()),
            "name one processor of each core when you lay out `pipeline` yourself",
        ),
    }
}

fn governors(allowed: &[usize]) -> BTreeSet<String> {
    let path = |cpu: &usize| format!("{CPUS}/cpu{cpu}/cpufreq/scaling_governor");
    allowed.iter().filter_map(|cpu| read(path(cpu))).collect()
}

fn governor(names: &BTreeSet<String>, about: &mut About<'_>) {
    let found = names.iter().cloned().collect::<Vec<_>>().join(", ");
    if names.is_empty() {
        about.ok(
            "governor",
            "none: the frequency is fixed or the host's business (read in /sys)",
        );
    } else if names.iter().all(|name| name == "performance") {
        about.ok("governor", format!("{found} (read in /sys)"));
    } else {
        about.advise(
            "governor",
            format!("{found} (read in /sys)"),
            "after a quiet moment the first packets meet a slow processor",
            "cpupower frequency-set -g performance",
        );
    }
}

/// The numbers of the interrupts of an interface, from proc_interrupts(5).
fn handled(text: &str, name: &str, bus: Option<&str>) -> Vec<u32> {
    let is_ours = |line: &&str| {
        let belongs = |word: &str| {
            let rest = word.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-') || rest.starts_with(':'))
                || bus.is_some_and(|bus| word.contains(bus))
        };
        line.split_whitespace().any(belongs)
    };
    let number = |line: &str| line.trim_start().split(':').next()?.parse().ok();
    text.lines().filter(is_ours).filter_map(number).collect()
}

fn interrupts(interface: &Interface, numbers: &[u32], about: &mut About<'_>) {
    let places: Vec<Vec<usize>> = numbers
        .iter()
        .filter_map(|number| read(format!("/proc/irq/{number}/smp_affinity_list")))
        .map(|text| list(&text))
        .collect();
    judge_interrupts(&interface.link.name, &places, about);
}

fn judge_interrupts(name: &str, places: &[Vec<usize>], about: &mut About<'_>) {
    let all: BTreeSet<usize> = places.iter().flatten().copied().collect();
    let found = format!(
        "{} interrupts, on {}",
        places.len(),
        joined(&all.iter().copied().collect::<Vec<_>>())
    );
    if places.is_empty() {
        about.note(
            "interrupts",
            "none of this name",
            "a virtual interface has none; others name theirs differently",
        );
    } else if places.len() > 1 && all.len() == 1 {
        about.warn(
            "interrupts",
            found,
            format!("one processor receives for every queue of {name}"),
            "start irqbalance, or write one processor to each /proc/irq/N/smp_affinity_list",
        );
    } else {
        about.ok("interrupts", found);
    }
}

/// The NUMA node of a PCI device against the cores that are to receive from it.
fn node(bus: Option<&str>, pipeline: &Pipeline, about: &mut About<'_>) {
    let Some(node) = bus.and_then(|bus| read(format!("/sys/bus/pci/devices/{bus}/numa_node"))) else {
        return;
    };
    // -1: the machine has one node, or does not tell.
    let Ok(node) = node.parse::<u32>() else { return };
    let near = read(format!("/sys/devices/system/node/node{node}/cpulist")).map(|text| list(&text));
    judge_node(node, &near.unwrap_or_default(), &pipeline.receive_cores, about);
}

fn judge_node(node: u32, near: &[usize], receiving: &[usize], about: &mut About<'_>) {
    let far: Vec<usize> = receiving.iter().copied().filter(|core| !near.contains(core)).collect();
    if far.is_empty() || near.is_empty() {
        return about.ok("numa node", format!("{node}, cores {} (read in /sys)", joined(near)));
    }
    about.warn(
        "numa node",
        format!("{node}; receiving on {} is on another (read in /sys)", joined(&far)),
        "each packet crosses from one node to the other",
        format!("set `pipeline.receive_cores` to some of {}", joined(near)),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::{Finding, Grade};

    const INTERRUPTS: &str = "           CPU0       CPU1\n\
        24:    10    0   PCI-MSI 49152-edge      eth1-rx-0\n\
        25:     0    9   PCI-MSI 49153-edge      mlx5_comp0@pci:0000:03:00.0\n\
        26:     0    9   PCI-MSI 49154-edge      eth10-rx-0\n\
        NMI:    0    0   Non-maskable interrupts\n";

    fn found(judge: impl Fn(&mut About<'_>)) -> Finding {
        let mut report = Report::default();
        judge(&mut report.about("cores"));
        report.findings.remove(0)
    }

    fn pipeline(receive: &[usize], legacy: &[usize]) -> Pipeline {
        Pipeline {
            receive_cores: receive.to_vec(),
            legacy_cores: legacy.to_vec(),
            ..crate::config::Config::parse("").unwrap().pipeline
        }
    }

    #[test]
    fn interrupts_are_found_by_name_and_by_bus() {
        assert_eq!(handled(INTERRUPTS, "eth1", Some("0000:03:00.0")), [24, 25]);
        assert_eq!(handled(INTERRUPTS, "eth10", None), [26]);
        assert_eq!(handled(INTERRUPTS, "eth2", None), [0_u32; 0]);
    }

    #[test]
    fn interrupts_on_one_processor_are_warned_of() {
        let grade = |places: &[Vec<usize>]| found(|about| judge_interrupts("eth1", places, about)).grade;
        assert_eq!(grade(&[vec![0], vec![0]]), Grade::Warning);
        assert_eq!(grade(&[vec![0], vec![1]]), Grade::Ok);
        assert_eq!(grade(&[vec![0]]), Grade::Ok);
        assert_eq!(grade(&[]), Grade::Note);
    }

    #[test]
    fn a_layout_on_absent_or_shared_processors_is_told() {
        let layout = |receive: &[usize], legacy: &[usize]| {
            found(|about| configured(&pipeline(receive, legacy), &[0, 1, 2, 3], about)).grade
        };
        assert_eq!(layout(&[0], &[1]), Grade::Ok);
        assert_eq!(layout(&[0], &[0]), Grade::Warning);
        assert_eq!(layout(&[0], &[9]), Grade::Failure);
        let pairs = [BTreeSet::from([0, 2]), BTreeSet::from([1, 3])];
        let smt = |receive: &[usize], legacy: &[usize]| {
            found(|about| shared(&pipeline(receive, legacy), &pairs, about)).grade
        };
        assert_eq!(smt(&[0], &[2]), Grade::Warning);
        assert_eq!(smt(&[0], &[1]), Grade::Note);
    }

    #[test]
    fn receiving_on_another_node_is_warned_of() {
        assert_eq!(found(|about| judge_node(1, &[8, 9], &[0], about)).grade, Grade::Warning);
        assert_eq!(found(|about| judge_node(1, &[8, 9], &[8], about)).grade, Grade::Ok);
    }
}
