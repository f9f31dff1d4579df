//! Is there an alert nobody has seen, and do alerts arrive?

use std::collections::BTreeMap;

use crate::control::alert::Level;
use crate::control::alert::engine::State;
use crate::control::alert::view::{AlertList, ChannelView};
use crate::control::client::{Client, ClientError};
use crate::ops::finding::{About, Report};

const SUBJECT: &str = "alerts";

pub(super) fn examine(client: &Client, report: &mut Report) {
    let ask = || -> Result<_, ClientError> { Ok((client.alerts()?, client.alert_statistics()?)) };
    // That the daemon does not answer is said once, by the capture.
    if let Ok((list, statistics)) = ask() {
        let mut about = report.about(SUBJECT);
        unseen(&list, &mut about);
        delivery(&statistics.channels, &mut about);
    }
}

fn unseen(list: &AlertList, about: &mut About<'_>) {
    let is_open = |state: State| state == State::Firing;
    let open: Vec<_> = list
        .alerts
        .iter()
        .filter(|alert| is_open(alert.state) && alert.acknowledged.is_none() && alert.muted.is_none())
        .collect();
    if open.is_empty() {
        about.ok("open", "no alert fires that nobody has seen");
    }
    for alert in open {
        let fix = format!("find its cause, then `trim alert ack {}`", alert.id);
        let why = format!("since {}, and nobody has acknowledged it", alert.since);
        match alert.level {
            Level::Critical => about.fail("open", alert.summary.as_str(), why, fix),
            Level::Warning => about.warn("open", alert.summary.as_str(), why, fix),
            Level::Info => about.note("open", alert.summary.as_str(), why),
        }
    }
}

fn delivery(channels: &BTreeMap<String, ChannelView>, about: &mut About<'_>) {
    if channels.is_empty() {
        about.warn(
            "channels",
            "none is configured",
            "nobody is told when something happens",
            "configure `alerts.channels`, then `trim alert test`",
        );
    }
    for (name, channel) in channels {
        let lost = channel.refused + channel.dropped;
        match &channel.last_error {
            Some(error) => about.fail(
                name,
                format!("the last attempt failed: {error}; {} wait", channel.waiting),
                "alerts do not arrive",
                format!("`trim alert test --channel {name}`"),
            ),
            None if lost > 0 => about.warn(
                name,
                format!("{lost} messages never arrived"),
                "they were refused for good, or there was no room for them",
                "`trim alert stats`, `trim logs --level warn`",
            ),
            None => about.ok(name, format!("{} of {} delivered", channel.delivered, channel.messages)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::finding::Grade;

    fn grade_with(channels: BTreeMap<String, ChannelView>) -> Grade {
        let mut report = Report::default();
        delivery(&channels, &mut report.about(SUBJECT));
        report.findings[0].grade
    }

    fn grade_of(channel: ChannelView) -> Grade {
        grade_with(BTreeMap::from([("mail".to_owned(), channel)]))
    }

    #[test]
    fn a_channel_that_fails_now_is_worse_than_one_that_lost_a_message_once() {
        assert_eq!(grade_of(ChannelView::default()), Grade::Ok);
        let lossy = ChannelView {
            dropped: 1,
            ..ChannelView::default()
        };
        assert_eq!(grade_of(lossy), Grade::Warning);
        let failing = ChannelView {
            last_error: Some("connection refused".to_owned()),
            ..ChannelView::default()
        };
        assert_eq!(grade_of(failing), Grade::Failure);
    }

    #[test]
    fn an_appliance_that_tells_nobody_is_worth_a_warning() {
        assert_eq!(grade_with(BTreeMap::new()), Grade::Warning);
    }
}
