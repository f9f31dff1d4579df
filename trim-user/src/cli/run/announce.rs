//! From what the operator sees and decides to alerts.

use std::sync::{Arc, Mutex, PoisonError};

use crate::control::alert::rules::RuleBook;
use crate::control::alert::{AlertDesk, Level, Notice};
use crate::control::health::{Arm, Evidence, Thresholds};
use crate::control::operator::Announcer;
use crate::control::rollout::Importance;

/// The conditions that health sees, for whoever tells the alerts all that hold.
#[derive(Clone, Default)]
pub(super) struct Conditions(Arc<Mutex<Vec<Notice>>>);

impl Conditions {
    /// Those that hold now.
    pub(super) fn get(&self) -> Vec<Notice> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, notices: Vec<Notice>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }
}

/// Tells the alerts.
pub(super) struct Alerts {
    desk: Arc<AlertDesk>,
    conditions: Conditions,
}

impl Alerts {
    pub(super) fn new(desk: Arc<AlertDesk>, conditions: Conditions) -> Self {
        Self { desk, conditions }
    }
}

impl Announcer for Alerts {
    fn conditions(&mut self, evidence: &Evidence, thresholds: &Thresholds) {
        let notices = conditions(evidence, thresholds, self.desk.lock().rules());
        self.conditions.set(notices);
    }

    fn event(&mut self, importance: Importance, rule: &str, summary: &str) {
        let level = match importance {
            Importance::Info => Level::Info,
            Importance::Warning => Level::Warning,
            Importance::Critical => Level::Critical,
        };
        let kind = match rule {
            "rolled_back" => "rollback",
            "split_mismatch" => "split_mismatch",
            _ => "rollout",
        };
        let notice = Notice::new(level, kind, summary).label("event", rule);
        let now = self.desk.now();
        self.desk.lock().event(now, notice);
    }
}

/// Everything of the last minute that breaks a rule. Rules are in percent.
fn conditions(evidence: &Evidence, thresholds: &Thresholds, rules: &RuleBook) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (strategy, arm) in [("legacy", &evidence.legacy), ("scanning", &evidence.scanning)] {
        notices.extend(of_arm(strategy, arm, thresholds, rules));
    }
    let resources = &evidence.resources;
    for (rule, share) in [
        ("memory", resources.worst_memory_share()),
        ("cpu", resources.cpu_share),
        ("disk", resources.disk_share()),
    ] {
        let percent = share.unwrap_or_default() * 100.0;
        notices.extend(rules.measure(rule, percent, format!("{rule}: {percent:.1}% in use")));
    }
    let patience = thresholds.unresponsive_after.as_secs_f64();
    for thread in evidence.threads.iter().filter(|thread| thread.stalled_s > patience) {
        let summary = format!("{} has made no progress for {:.0} s", thread.name, thread.stalled_s);
        notices.push(rules.notice("unavailable", summary).label("thread", &thread.name));
    }
    let costs = evidence.legacy.cost_ns().zip(evidence.scanning.cost_ns());
    if let Some((legacy, scanning)) = costs {
        let percent = (scanning / legacy - 1.0) * 100.0;
        let summary = format!("scanning takes {scanning:.0} ns for a packet, legacy {legacy:.0} ns");
        notices.extend(
            rules
                .measure("slow_down", percent, summary)
                .map(|it| it.label("strategy", "scanning")),
        );
    }
    notices
}

fn of_arm(strategy: &str, arm: &Arm, thresholds: &Thresholds, rules: &RuleBook) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(share) = arm.error_share().filter(|_| arm.packets >= thresholds.fewest_packets) {
        let percent = share * 100.0;
        let summary = format!("{percent:.2}% of the packets on {strategy} were not trimmed as they should be");
        notices.extend(rules.measure("error_rate", percent, summary));
    }
    let shadow = &arm.shadow;
    if let Some(accuracy) = shadow
        .accuracy()
        .filter(|_| shadow.segments >= thresholds.fewest_segments)
    {
        let percent = accuracy * 100.0;
        let summary = format!("the trimmers agree on {percent:.2}% of what both judged on {strategy}");
        notices.extend(rules.measure("accuracy", percent, summary));
    }
    notices
        .into_iter()
        .map(|notice| notice.label("strategy", strategy))
        .collect()
}
