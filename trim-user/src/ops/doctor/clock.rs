//! Clocks: what a time costs, and whether it is right.

use super::text::read;
use crate::kernel::clock;
use crate::ops::finding::{About, Report};

const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
/// Clocks that are read without leaving user space.
const QUICK: [&str; 5] = [
    "tsc",
    "kvm-clock",
    "hyperv_clocksource_tsc_page",
    "arch_sys_counter",
    "xen",
];

pub(super) fn examine(report: &mut Report) {
    let mut about = report.about("clock");
    source(read(SOURCE).as_deref(), &mut about);
    synchronised(clock::is_synchronised(), &mut about);
}

fn source(name: Option<&str>, about: &mut About<'_>) {
    match name {
        Some(name) if QUICK.contains(&name) => about.ok("source", format!("{name} (read in /sys)")),
        Some(name) => about.warn(
            "source",
            format!("{name} (read in /sys)"),
            "reading it takes microseconds, and XDP reads it for each packet",
            "boot with `tsc=reliable` if the processor's counter is sound, or look in the kernel log why it was given up",
        ),
        None => about.note("source", "unknown", "/sys does not tell"),
    }
}

fn synchronised(answer: Option<bool>, about: &mut About<'_>) {
    match answer {
        Some(true) => about.ok("time of day", "synchronised"),
        Some(false) => about.warn(
            "time of day",
            "not synchronised",
            "packets get times that cannot be compared with those of other machines",
            "systemctl enable --now chrony",
        ),
        None => about.note(
            "time of day",
            "unknown",
            "the kernel does not tell whether it is synchronised",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    #[test]
    fn a_slow_clock_and_a_wrong_one_are_warned_of() {
        let mut report = Report::default();
        let mut about = report.about("clock");
        source(Some("tsc"), &mut about);
        source(Some("acpi_pm"), &mut about);
        source(None, &mut about);
        synchronised(Some(false), &mut about);
        let grades: Vec<Grade> = report.findings.iter().map(|finding| finding.grade).collect();
        assert_eq!(grades, [Grade::Ok, Grade::Warning, Grade::Note, Grade::Warning]);
    }
}
