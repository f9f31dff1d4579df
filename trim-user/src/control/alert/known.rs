//! Conditions that a running capture shows by itself: lost links, lost packets, files that cannot be written. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use super::notice::Notice;
use super::rules::RuleBook;
use super::time::Time;
use crate::control::accounts::Accounts;

/// Losses are judged by the share of packets in so long a time.
const WINDOW: Duration = Duration::from_secs(60);

/// What is seen of a capture at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Interfaces by name, and the state of the link in a word.
    pub links: Vec<(String, String)>,
    /// Where every packet went.
    pub accounts: Accounts,
}

/// Remembers what was seen.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    seen: VecDeque<(Time, Accounts)>,
}

impl Watch {
    /// The conditions that hold at `now`.
    pub fn look(&mut self, now: Time, sight: &Sight, rules: &RuleBook) -> Vec<Notice> {
        self.seen.push_back((now, sight.accounts));
        // The newest one outside the window stays: losses are counted from there.
        while self.seen.get(1).is_some_and(|(at, _)| now.since(*at) >= WINDOW) {
            self.seen.pop_front();
        }
        let before = self.seen.front().map_or(sight.accounts, |(_, accounts)| *accounts);
        let mut notices = links(sight, rules);
        notices.extend(losses(&before, &sight.accounts, rules));
        notices
    }
}

fn links(sight: &Sight, rules: &RuleBook) -> Vec<Notice> {
    let lost = sight.links.iter().filter(|(_, state)| state != "up");
    lost.map(|(name, state)| {
        rules
            .notice("link_lost", format!("interface {name} has lost its link"))
            .label("interface", name)
            .details(format!(
                "the link is {state}; nothing arrives here until it is up again"
            ))
    })
    .collect()
}

fn losses(before: &Accounts, after: &Accounts, rules: &RuleBook) -> Vec<Notice> {
    let seen = after.seen.saturating_sub(before.seen);
    let (old, new) = (&before.lost, &after.lost);
    let places = [
        ("no_socket", old.no_socket, new.no_socket),
        ("rx_ring_full", old.rx_ring_full, new.rx_ring_full),
        ("fill_ring_empty", old.fill_ring_empty, new.fill_ring_empty),
        ("rx_dropped", old.rx_dropped, new.rx_dropped),
        ("queue_full", old.queue_full, new.queue_full),
    ];
    let mut notices: Vec<Notice> = places
        .into_iter()
        .filter_map(|(place, old, new)| {
            let lost = new.saturating_sub(old);
            // Packets lost now may have been seen before the window.
            let percent = lost as f64 * 100.0 / seen.max(lost).max(1) as f64;
            let summary = format!("{lost} packets lost at {place} within {} s", WINDOW.as_secs());
            let notice = rules.measure("loss", percent, summary)?;
            Some(
                notice
                    .label("place", place)
                    .details(format!("{seen} packets were seen in that time")),
            )
        })
        .collect();
    let unwritten = new.write_failed.saturating_sub(old.write_failed);
    if unwritten > 0 {
        let summary = format!("{unwritten} packets could not be written within {} s", WINDOW.as_secs());
        notices.push(
            rules
                .notice("write_failed", summary)
                .details("is the disk full, or the output folder gone?"),
        );
    }
    notices
}

#[cfg(test)]
mod tests {
    use super::super::notice::Level;
    use super::*;

    fn sight(seen: u64, queue_full: u64, write_failed: u64) -> Sight {
        let mut sight = Sight::default();
        sight.accounts.seen = seen;
        sight.accounts.lost.queue_full = queue_full;
        sight.accounts.lost.write_failed = write_failed;
        sight
    }

    #[test]
    fn a_link_that_is_not_up_is_lost() {
        let sight = Sight {
            links: vec![("a".into(), "up".into()), ("b".into(), "no carrier".into())],
            ..Sight::default()
        };
        let notices = Watch::default().look(Time(0), &sight, &RuleBook::default());
        assert_eq!(notices.len(), 1);
        assert_eq!(
            (notices[0].level, notices[0].labels["interface"].as_str()),
            (Level::Critical, "b")
        );
    }

    #[test]
    fn losses_are_judged_by_their_share_and_forgotten_after_a_minute() {
        let (mut watch, rules) = (Watch::default(), RuleBook::default());
        let mut look = |second: u64, seen, queue_full| {
            let notices = watch.look(Time(second * 1000), &sight(seen, queue_full, 0), &rules);
            notices.first().map(|notice| notice.level)
        };
        assert_eq!(
            look(0, 1_000_000, 500_000),
            None,
            "what was lost before the start is no news"
        );
        assert_eq!(look(1, 1_010_000, 500_010), None, "one in a thousand is allowed");
        assert_eq!(look(2, 1_010_000, 500_020), Some(Level::Warning));
        assert_eq!(look(3, 1_010_000, 500_200), Some(Level::Critical));
        assert_eq!(look(62, 1_010_000, 500_200), Some(Level::Critical));
        assert_eq!(look(63, 1_010_000, 500_200), None);
    }

    #[test]
    fn one_packet_that_could_not_be_written_is_enough() {
        let (mut watch, rules) = (Watch::default(), RuleBook::default());
        watch.look(Time(0), &sight(0, 0, 7), &rules);
        let notices = watch.look(Time(1000), &sight(1_000_000, 0, 8), &rules);
        assert_eq!(notices[0].rule, "write_failed");
    }
}
