//! HTML: the mail's second part.

use std::fmt::Write as _;

use super::super::message::Message;
use super::super::notice::Level;
use super::{labels, measured, word};

/// A mail's HTML.
pub(crate) fn html(message: &Message, host: &str) -> String {
    let mut page = format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><title>{title}</title></head>\
         <body style=\"font-family:sans-serif\"><p>trim on <b>{host}</b></p>",
        title = escaped(&message.title()),
        host = escaped(host)
    );
    for item in &message.items {
        let notice = &item.notice;
        // Writing to a `String` cannot fail.
        let _ = write!(
            page,
            "<table style=\"border-left:6px solid {};margin:0 0 1em;padding-left:.6em\"><tr><td colspan=\"2\"><b>{} {}</b>: {}</td></tr>",
            colour(notice.level),
            notice.level.shout(),
            word(item),
            escaped(&notice.summary)
        );
        let mut row = |name: &str, value: &str| {
            let _ = write!(page, "<tr><td>{name}</td><td>{}</td></tr>", escaped(value));
        };
        row("rule", &notice.rule);
        row("about", &labels(&notice.labels));
        row("value", &measured(item).unwrap_or_default());
        row("since", &item.since.to_string());
        row("until", &item.ended.map(|ended| ended.to_string()).unwrap_or_default());
        row("id", &item.id.to_string());
        let _ = write!(
            page,
            "<tr><td colspan=\"2\"><pre>{}</pre></td></tr></table>",
            escaped(&notice.details)
        );
    }
    page.push_str("</body></html>\n");
    page
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::Info => "#3070b0",
        Level::Warning => "#c08000",
        Level::Critical => "#c00000",
    }
}

/// Text as it may stand in elements and in quoted attributes. Control characters that HTML forbids become U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(character),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
