//! Does the capture run, and has it every packet?

use crate::control::accounts::Accounts;
use crate::control::client::Client;
use crate::control::status::InterfaceStatus;
use crate::ops::finding::{About, Report};

const SUBJECT: &str = "capture";

pub(super) fn examine(client: &Client, report: &mut Report) {
    let mut about = report.about(SUBJECT);
    match client.status() {
        Ok(status) => {
            let hours = status.uptime_s / 3600.0;
            about.ok("daemon", format!("trim {} for {hours:.1} h", status.version));
            packets(&status.accounts, status.balance, &mut about);
            links(&status.interfaces, &mut about);
        }
        Err(error) => about.fail(
            "daemon",
            error.to_string(),
            "nothing is captured while no daemon runs, and one that hangs cannot be asked",
            "`systemctl status trim`, `trim logs`; when it hangs, `trim rollback --direct` and then restart it",
        ),
    }
}

fn packets(accounts: &Accounts, balance: i64, about: &mut About<'_>) {
    if accounts.seen == 0 {
        about.warn(
            "traffic",
            "no packet seen since the start",
            "a mirror that was taken away looks like a quiet network",
            "look at the mirror port, then at `trim interfaces`",
        );
    }
    match accounts.lost.total() {
        0 => about.ok("loss", format!("0 of {} packets", accounts.seen)),
        lost => about.warn(
            "loss",
            format!("{lost} of {} packets since the start", accounts.seen),
            "what is lost is missing in the captures",
            "`trim status` names the place; docs/operations.md has a cure for each",
        ),
    }
    match balance {
        0 => about.ok("balance", "every packet is accounted for"),
        balance => about.fail(
            "balance",
            format!("{balance} packets are not accounted for"),
            "a count is wrong, or packets were lost in a place that nobody counts",
            "`trim diag collect`, and report it with the archive",
        ),
    }
}

fn links(interfaces: &[InterfaceStatus], about: &mut About<'_>) {
    for interface in interfaces.iter().filter(|interface| interface.link != "up") {
        about.fail(
            "link",
            format!("{} is {}", interface.name, interface.link),
            "nothing arrives on it",
            format!("`ip link set {} up`; look at cable and mirror port", interface.name),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    fn grade_of(accounts: &Accounts, balance: i64, check: &str) -> Option<Grade> {
        let mut report = Report::default();
        packets(accounts, balance, &mut report.about(SUBJECT));
        report.findings.iter().find(|it| it.check == check).map(|it| it.grade)
    }

    #[test]
    fn loss_is_a_warning_and_a_packet_without_account_a_failure() {
        let mut accounts = Accounts {
            seen: 100,
            ..Accounts::default()
        };
        assert_eq!(grade_of(&accounts, 0, "loss"), Some(Grade::Ok));
        assert_eq!(grade_of(&accounts, 0, "balance"), Some(Grade::Ok));
        assert_eq!(grade_of(&accounts, 0, "traffic"), None);
        accounts.lost.queue_full = 1;
        assert_eq!(grade_of(&accounts, -1, "loss"), Some(Grade::Warning));
        assert_eq!(grade_of(&accounts, -1, "balance"), Some(Grade::Failure));
    }

    #[test]
    fn silence_since_the_start_is_worth_a_look() {
        assert_eq!(grade_of(&Accounts::default(), 0, "traffic"), Some(Grade::Warning));
    }
}
