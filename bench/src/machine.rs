//! What the figures were measured on.

use std::fs;

use serde::Serialize;
use trim_user::kernel::affinity::allowed_cpus;

/// The machine and the moment.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// Model of the first CPU, as the kernel names it.
    pub(crate) cpu: String,
    /// CPUs that this process may use.
    pub(crate) cpus: usize,
    /// The kernel's release.
    pub(crate) kernel: String,
    /// When the run began, UTC, RFC 3339.
    pub(crate) date: String,
    /// Load average of the minute before: on a quiet machine well below 1.
    pub(crate) load: f64,
    /// How the programs of the run are scheduled, as they inherit it: `normal`, or `real-time` under `chrt`.
    pub(crate) scheduling: &'static str,
}

impl Machine {
    /// What it is now; where the system does not say, the text says so.
    pub(crate) fn look() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let load = read("/proc/loadavg");
        let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
        Self {
            cpu: cpu_model(&read("/proc/cpuinfo")),
            cpus: allowed_cpus().len(),
            kernel: if kernel.is_empty() {
                "unknown kernel".to_owned()
            } else {
                kernel
            },
            date: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            load: load
                .split_whitespace()
                .next()
                .and_then(|word| word.parse().ok())
                .unwrap_or(0.0),
            scheduling: scheduling(&read("/proc/self/stat")),
        }
    }

    /// As a line of a report.
    pub(crate) fn line(&self) -> String {
        format!(
            "{}, {} CPUs, Linux {}, {}, load before {}",
            self.cpu, self.cpus, self.kernel, self.date, self.load
        )
    }
}

/// Field 41 of `/proc/PID/stat` is the scheduling policy (proc_pid_stat(5)); SCHED_FIFO is 1 and SCHED_RR 2.
fn scheduling(stat: &str) -> &'static str {
    // The second field, a name in parentheses, may hold spaces.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    match fields.split_whitespace().nth(41 - 3) {
        Some("1" | "2") => "real-time",
        _ => "normal",
    }
}

fn cpu_model(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = line
        .and_then(|line| line.split_once(':'))
        .map(|(_, model)| model.trim());
    model.unwrap_or("unknown CPU").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_that_of_the_first_cpu() {
        let cpuinfo = "processor\t: 0\nmodel name\t: One @ 2.0GHz\nprocessor\t: 1\nmodel name\t: Two\n";
        assert_eq!(cpu_model(cpuinfo), "One @ 2.0GHz");
        assert_eq!(cpu_model("processor : 0\n"), "unknown CPU");
    }

    #[test]
    fn the_scheduling_policy_is_read_behind_a_name_with_spaces() {
        let stat = |policy| format!("7 (a (b) c) S {}-2 {policy} 0", "0 ".repeat(36));
        assert_eq!(scheduling(&stat(1)), "real-time");
        assert_eq!(scheduling(&stat(0)), "normal");
        assert_eq!(scheduling(""), "normal");
    }
}
