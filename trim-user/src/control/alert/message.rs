//! What a channel is given to deliver. Rendering it is the channel's business.

use serde::{Deserialize, Serialize};

use super::engine::{News, State};
use super::notice::{Fingerprint, Labels, Level, Notice};
use super::time::Time;

/// A message on its way to a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Grows with each delivery, over restarts too.
    pub id: u64,
    /// Name of the channel.
    pub channel: String,
    /// What is to be delivered.
    pub message: Message,
}

/// Alerts of one group, told together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// When it was made.
    pub at: Time,
    /// The most serious level in it.
    pub level: Level,
    /// What its alerts have in common.
    pub group: Labels,
    /// Its alerts, the most serious first; never empty.
    pub items: Vec<Item>,
}

/// One alert in a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Who it is.
    pub id: Fingerprint,
    /// Why it is told.
    pub news: News,
    /// Whether it lasts.
    pub state: State,
    /// What it says.
    pub notice: Notice,
    /// When it began.
    pub since: Time,
    /// When it ended, if it has.
    pub ended: Option<Time>,
    /// How often it happened, for an event.
    pub count: u64,
    /// Whether it happened once, rather than lasts.
    pub is_event: bool,
}

impl Message {
    /// Whether everything in it has ended.
    pub fn is_resolved(&self) -> bool {
        self.items.iter().all(|item| item.news == News::Resolved)
    }

    /// One line: what a mail's subject or a log line says.
    pub fn title(&self) -> String {
        let word = if self.is_resolved() {
            "RESOLVED"
        } else {
            self.level.shout()
        };
        let summary = self.items.first().map_or("", |item| item.notice.summary.as_str());
        match self.items.len() {
            0 | 1 => format!("[{word}] {summary}"),
            more => format!("[{word}] {summary} (and {} more)", more - 1),
        }
    }
}
