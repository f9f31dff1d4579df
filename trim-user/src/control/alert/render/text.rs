//! Plain text: the mail's first part.

use std::fmt::Write as _;

use super::super::message::Message;
use super::{labels, measured, one_line, shortened, word};

/// Longest subject, characters; mail programs show fewer.
const LONGEST_SUBJECT: usize = 200;

/// A mail's subject.
pub(crate) fn subject(message: &Message, host: &str) -> String {
    shortened(&one_line(&format!("{} on {host}", message.title())), LONGEST_SUBJECT)
}

/// A mail's text.
pub(crate) fn text(message: &Message, host: &str) -> String {
    let mut text = format!("trim on {}\n", one_line(host));
    for item in &message.items {
        let notice = &item.notice;
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "\n{} {}: {}\n",
            notice.level.shout(),
            word(item),
            one_line(&notice.summary)
        );
        let _ = writeln!(text, "  rule       {}", one_line(&notice.rule));
        if !notice.labels.is_empty() {
            let _ = writeln!(text, "  about      {}", one_line(&labels(&notice.labels)));
        }
        if let Some(measured) = measured(item) {
            let _ = writeln!(text, "  value      {measured}");
        }
        let _ = writeln!(text, "  since      {}", item.since);
        if let Some(ended) = item.ended {
            let _ = writeln!(text, "  until      {ended}");
        }
        if item.count > 1 {
            let _ = writeln!(text, "  count      {}", item.count);
        }
        let _ = writeln!(text, "  id         {}", item.id);
        for line in notice.details.lines() {
            let _ = writeln!(text, "  | {}", one_line(line));
        }
    }
    text
}
