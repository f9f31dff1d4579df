//! Memory: what the configuration may take at most, and what there is.

use super::kernel::frames;
use super::text::{bytes, read};
use crate::config::{Config, HugePages};
use crate::ops::finding::{About, Report};

/// Bytes of one flow in a trimmer's table, in any state: the bound that a test holds it to, rounded up.
const FLOW_BYTES: u64 = 1024;
const HUGE_PAGE: u64 = 2 << 20;

/// What proc_meminfo(5) says, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Meminfo {
    available: Option<u64>,
    free_huge_pages: u64,
    huge_page_bytes: u64,
}

pub(super) fn examine(config: &Config, queues: u32, report: &mut Report) {
    let mut about = report.about("memory");
    let Some(meminfo) = read("/proc/meminfo").map(|text| parse(&text)) else {
        return about.note("free", "unknown", "/proc/meminfo cannot be read");
    };
    let pools = frames(&config.capture, queues.max(1));
    judge_free(meminfo, pools, most(config), &mut about);
    judge_huge_pages(config.capture.huge_pages, meminfo, pools, &mut about);
}

/// What one worker's tables and one worker's held frames may grow to. The bounds of both trimmers count, as both run.
fn most(config: &Config) -> u64 {
    let trimmer = config.trimmer.max_flows as u64 * FLOW_BYTES + config.trimmer.reassembly_bytes as u64;
    2 * (trimmer + config.hold.bytes as u64)
}

fn parse(text: &str) -> Meminfo {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    Meminfo {
        available: field("MemAvailable").map(|kib| kib << 10),
        free_huge_pages: field("HugePages_Free").unwrap_or(0),
        huge_page_bytes: field("Hugepagesize").unwrap_or(0) << 10,
    }
}

fn judge_free(meminfo: Meminfo, pools: u64, tables: u64, about: &mut About<'_>) {
    let Some(available) = meminfo.available else {
        return about.note("free", "unknown", "/proc/meminfo has no MemAvailable");
    };
    let found = format!(
        "{} available; frame pools take {}, tables at most some {}",
        bytes(available),
        bytes(pools),
        bytes(tables)
    );
    if pools > available {
        about.fail(
            "free",
            found,
            "the frame pools do not fit",
            "lower `capture.frames_per_queue`, or the number of queues (`ethtool -L`)",
        );
    } else if pools + tables > available {
        about.warn(
            "free",
            found,
            "with as many flows as are allowed the machine runs out of memory",
            "lower `trimming.max_flows` and `trimming.reassembly`, or add memory",
        );
    } else {
        about.ok("free", found);
    }
}

fn judge_huge_pages(wanted: HugePages, meminfo: Meminfo, pools: u64, about: &mut About<'_>) {
    let needed = pools.div_ceil(HUGE_PAGE);
    let free = if meminfo.huge_page_bytes == HUGE_PAGE {
        meminfo.free_huge_pages
    } else {
        0
    };
    let found = format!("{free} of 2 MiB free, {needed} needed for the frame pools");
    let fix = format!("sysctl vm.nr_hugepages={needed}");
    let is_enough = free >= needed;
    match wanted {
        HugePages::Never => about.ok("huge pages", "not wanted (`capture.huge_pages: never`)"),
        _ if is_enough => about.ok("huge pages", found),
        HugePages::Always => about.fail(
            "huge pages",
            found,
            "`capture.huge_pages: always` does without none",
            fix,
        ),
        HugePages::Auto => about.advise(
            "huge pages",
            found,
            "normal pages do; huge ones save some time per packet",
            fix,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    const TEXT: &str =
        "MemTotal: 8000000 kB\nMemAvailable:    1048576 kB\nHugePages_Free:       16\nHugepagesize:       2048 kB\n";

    fn grade(judge: impl Fn(&mut About<'_>)) -> Grade {
        let mut report = Report::default();
        judge(&mut report.about("memory"));
        report.findings[0].grade
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let meminfo = parse(TEXT);
        assert_eq!(meminfo.available, Some(1 << 30));
        assert_eq!(
            grade(|about| judge_free(meminfo, 16 << 20, 512 << 20, about)),
            Grade::Ok
        );
        assert_eq!(
            grade(|about| judge_free(meminfo, 16 << 20, 2 << 30, about)),
            Grade::Warning
        );
        assert_eq!(grade(|about| judge_free(meminfo, 2 << 30, 0, about)), Grade::Failure);
    }

    #[test]
    fn huge_pages_are_demanded_only_when_configured() {
        let meminfo = parse(TEXT);
        let of = |wanted, pools| grade(|about| judge_huge_pages(wanted, meminfo, pools, about));
        assert_eq!(of(HugePages::Always, 32 << 20), Grade::Ok);
        assert_eq!(of(HugePages::Always, 33 << 20), Grade::Failure);
        assert_eq!(of(HugePages::Auto, 33 << 20), Grade::Note);
        assert_eq!(of(HugePages::Never, 33 << 20), Grade::Ok);
    }
}
