//! JSON: webhooks and log files.

use serde_json::{Value, json as value};

use super::super::message::{Item, Message};

/// What a webhook is given.
pub(crate) fn json(message: &Message, host: &str) -> Value {
    let items: Vec<Value> = message.items.iter().map(item).collect();
    value!({
        "version": 1,
        "host": host,
        "at": message.at.to_string(),
        "level": message.level,
        "status": if message.is_resolved() { "resolved" } else { "firing" },
        "title": message.title(),
        "group": message.group,
        "alerts": items,
    })
}

/// What a log file is given: one object for each alert.
pub(crate) fn lines(message: &Message, host: &str) -> Vec<Value> {
    let line = |one: &Item| {
        let mut line = item(one);
        line["at"] = message.at.to_string().into();
        line["host"] = host.into();
        line
    };
    message.items.iter().map(line).collect()
}

fn item(item: &Item) -> Value {
    let notice = &item.notice;
    value!({
        "id": item.id,
        "news": item.news,
        "state": item.state,
        "level": notice.level,
        "rule": notice.rule,
        "labels": notice.labels,
        "summary": notice.summary,
        "details": notice.details,
        "value": notice.value,
        "threshold": notice.threshold,
        "since": item.since.to_string(),
        "ended": item.ended.map(|ended| ended.to_string()),
        "count": item.count,
        "event": item.is_event,
    })
}
