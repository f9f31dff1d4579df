//! What a message looks like on each channel. Pure, and everything that comes from outside is escaped.

mod alertmanager;
mod html;
mod json;
mod slack;
mod text;

pub(super) use alertmanager::alertmanager;
pub(super) use html::html;
pub(super) use json::{json, lines};
pub(super) use slack::slack;
pub(super) use text::{subject, text};

use super::engine::News;
use super::message::Item;
use super::notice::Labels;

/// What happened to an alert, in a word.
const fn word(item: &Item) -> &'static str {
    match item.news {
        News::Fired if item.is_event => "happened",
        News::Fired => "began",
        News::Escalated => "became worse",
        News::Repeated => "still lasts",
        News::Resolved => "ended",
    }
}

/// Value and threshold, when there are.
fn measured(item: &Item) -> Option<String> {
    let value = item.notice.value?;
    Some(match item.notice.threshold {
        Some(threshold) => format!("{} (threshold {})", number(value), number(threshold)),
        None => number(value),
    })
}

/// Up to three digits behind the point.
fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn labels(labels: &Labels) -> String {
    let pairs: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join(", ")
}

/// Without line ends and other control characters, for places that are one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The first so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}
