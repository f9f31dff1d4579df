//! The bulk API: what is sent, and what the answer means for each document. Pure.

use serde::Deserialize;
use serde_json::{Value, json};

/// Longest reason that is shown.
const LONGEST_REASON: usize = 300;

/// A document on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The data stream it is for.
    pub data_stream: String,
    /// The document.
    pub document: Value,
}

impl Record {
    /// The two lines that put it into its data stream, where it will have this identity: sent twice, it is there once.
    pub(super) fn lines(&self, id: &str) -> Vec<u8> {
        let action = json!({ "create": { "_index": self.data_stream, "_id": id } });
        format!("{action}\n{}\n", self.document).into_bytes()
    }
}

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server has it.
    Done,
    /// Not now.
    Again(String),
    /// Never, and why.
    Refused(String),
}

#[derive(Deserialize)]
struct Answer {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    create: Outcome,
}

#[derive(Deserialize)]
struct Outcome {
    status: u16,
    #[serde(default)]
    error: Value,
}

/// The fates of `count` documents, in the order in which they were sent.
///
/// # Errors
/// When this is no answer of the bulk API to so many documents.
pub(super) fn fates(answer: &[u8], count: usize) -> Result<Vec<Fate>, String> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|error| format!("no answer of a bulk API: {error}"))?;
    if answer.items.len() != count {
        return Err(format!(
            "the answer is about {} documents instead of {count}",
            answer.items.len()
        ));
    }
    Ok(answer.items.into_iter().map(|item| item.create.fate()).collect())
}

impl Outcome {
    fn fate(self) -> Fate {
        match self.status {
            // Already there: an earlier answer was lost.
            200..=299 | 409 => Fate::Done,
            429 | 500..=599 => Fate::Again(self.reason()),
            _ => Fate::Refused(self.reason()),
        }
    }

    fn reason(&self) -> String {
        let part = |name: &str| self.error.get(name).and_then(Value::as_str).unwrap_or_default();
        let text = format!("{} {}: {}", self.status, part("type"), part("reason"));
        let shown = text.chars().take(LONGEST_REASON);
        shown.map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_two_lines_whatever_is_in_it() {
        let record = Record {
            data_stream: "metrics-trim-default".to_owned(),
            document: json!({ "message": "two\nlines" }),
        };
        let lines = String::from_utf8(record.lines("a-1")).unwrap();
        assert_eq!(lines.matches('\n').count(), 2);
        assert_eq!(
            lines.lines().next(),
            Some(r#"{"create":{"_id":"a-1","_index":"metrics-trim-default"}}"#)
        );
    }

    #[test]
    fn every_status_has_one_fate() {
        let of = |status: u16| {
            let answer =
                json!({ "items": [{ "create": { "status": status, "error": { "type": "t", "reason": "r" } } }] });
            fates(answer.to_string().as_bytes(), 1).unwrap().remove(0)
        };
        for status in [200, 201, 409] {
            assert_eq!(of(status), Fate::Done, "{status}");
        }
        for status in [429, 500, 502, 503] {
            assert_eq!(of(status), Fate::Again(format!("{status} t: r")), "{status}");
        }
        for status in [400, 401, 403, 404, 413] {
            assert_eq!(of(status), Fate::Refused(format!("{status} t: r")), "{status}");
        }
    }

    #[test]
    fn an_answer_to_something_else_is_none() {
        for answer in [
            "",
            "<html>",
            "{}",
            r#"{"items":[]}"#,
            r#"{"items":[{"index":{"status":201}}]}"#,
        ] {
            assert!(fates(answer.as_bytes(), 1).is_err(), "{answer}");
        }
    }
}
