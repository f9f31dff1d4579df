//! Slack's blocks.

use serde_json::{Value, json};

use super::super::message::{Item, Message};
use super::{labels, measured, one_line, shortened, word};

/// Slack takes 50 blocks in a message and 3000 characters in a section (api.slack.com/reference/block-kit/blocks).
const MOST_SECTIONS: usize = 20;
const LONGEST_SECTION: usize = 2900;

/// What Slack is given. All text is escaped, so that nothing in it becomes a link or calls people.
pub(crate) fn slack(message: &Message, host: &str) -> Value {
    let title = escaped(&one_line(&format!("{} on {host}", message.title())));
    let mut blocks = vec![section(&format!("*{}*", shortened(&title, 1000)))];
    for item in message.items.iter().take(MOST_SECTIONS) {
        blocks.push(json!({ "type": "divider" }));
        blocks.push(section(&shortened(&described(item), LONGEST_SECTION)));
    }
    if message.items.len() > MOST_SECTIONS {
        blocks.push(section(&format!(
            "and {} more: `trim alert list`",
            message.items.len() - MOST_SECTIONS
        )));
    }
    json!({ "text": shortened(&title, 1000), "blocks": blocks })
}

/// `verbatim` keeps Slack from making links and mentions of what looks like them.
fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } })
}

fn described(item: &Item) -> String {
    let notice = &item.notice;
    let mut lines = vec![format!(
        "*{} {}*: {}",
        notice.level.shout(),
        word(item),
        escaped(&one_line(&notice.summary))
    )];
    lines.push(format!("rule {}", escaped(&notice.rule)));
    if !notice.labels.is_empty() {
        lines.push(format!("about {}", escaped(&one_line(&labels(&notice.labels)))));
    }
    lines.extend(measured(item).map(|measured| format!("value {measured}")));
    let until = item.ended.map(|ended| format!(" until {ended}")).unwrap_or_default();
    lines.push(format!("since {}{until}, id {}", item.since, item.id));
    lines.push(escaped(&notice.details));
    lines.join("\n").trim_end().to_owned()
}

/// The three characters that mean something to Slack (api.slack.com/reference/surfaces/formatting#escaping).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
