//! Alertmanager's API v2.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::engine::News;
use super::super::message::{Item, Message};
use super::super::notice::Level;
use super::number;

/// How long an event fires.
const EVENT: Duration = Duration::from_secs(300);

/// What `POST /api/v2/alerts` is given. To Alertmanager an alert is its labels, and the severity is one of them: what
/// becomes more serious ends at its old severity, and what ends, ends at each.
///
/// Alertmanager resolves by itself what is not told again in time, so each alert says until when it is good: `lasts`
/// from now on.
pub(crate) fn alertmanager(message: &Message, host: &str, lasts: Duration) -> Value {
    message
        .items
        .iter()
        .flat_map(|item| alerts(message, item, host, lasts))
        .collect()
}

fn alerts(message: &Message, item: &Item, host: &str, lasts: Duration) -> Vec<Value> {
    let level = item.notice.level;
    let until = |one: Level| match item.news {
        News::Resolved => Some(item.ended.unwrap_or(message.at)),
        _ if one < level => (item.news == News::Escalated).then_some(message.at),
        _ if one > level => None,
        _ if item.is_event => Some(message.at.plus(EVENT)),
        _ => Some(message.at.plus(lasts)),
    };
    let ends = Level::ALL
        .into_iter()
        .filter_map(|one| until(one).map(|end| (one, end)));
    ends.map(|(one, end)| {
        json!({
            "labels": labels(item, one, host),
            "annotations": annotations(item),
            "startsAt": item.since.min(end).to_string(),
            "endsAt": end.to_string(),
        })
    })
    .collect()
}

fn labels(item: &Item, level: Level, host: &str) -> BTreeMap<String, String> {
    let own = item
        .notice
        .labels
        .iter()
        .map(|(name, value)| (label_name(name), value.clone()));
    let mut labels: BTreeMap<String, String> = own.collect();
    labels.insert("alertname".to_owned(), item.notice.rule.clone());
    labels.insert("severity".to_owned(), level.name().to_owned());
    labels.insert("instance".to_owned(), host.to_owned());
    labels.insert("job".to_owned(), "trim".to_owned());
    labels
}

fn annotations(item: &Item) -> BTreeMap<&'static str, String> {
    let mut annotations = BTreeMap::from([("summary", item.notice.summary.clone()), ("id", item.id.to_string())]);
    if !item.notice.details.is_empty() {
        annotations.insert("description", item.notice.details.clone());
    }
    annotations.extend(item.notice.value.map(|value| ("value", number(value))));
    annotations.extend(item.notice.threshold.map(|value| ("threshold", number(value))));
    annotations
}

/// Letters, digits and `_`, not beginning with a digit (prometheus.io/docs/concepts/data_model).
fn label_name(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{name}")
    } else {
        name
    }
}
