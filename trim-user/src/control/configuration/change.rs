//! In which keys two configurations differ, and which of them a running process can change.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::{KeyValue, Keys, needs_restart};

/// A key that has another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// Its name with its sections.
    pub key: String,
    /// What is active; `-` when it has no value.
    pub active: String,
    /// What is to be; `-` when it has no value.
    pub wanted: String,
    /// Where that is written; nothing when it is the default.
    pub origin: Option<String>,
    /// Whether a running process cannot change it.
    pub needs_restart: bool,
}

/// Every key in which two configurations differ, in the order of their names.
pub fn changes(active: &Keys, wanted: &Keys) -> Vec<Change> {
    let mut names: Vec<&String> = active.keys().chain(wanted.keys()).collect();
    names.sort();
    names.dedup();
    let change = |key: &String| {
        let (before, after) = (active.get(key), wanted.get(key));
        let value = |it: Option<&KeyValue>| it.map_or(Value::Null, |it| it.value.clone());
        (value(before) != value(after)).then(|| Change {
            key: key.clone(),
            active: shown(before),
            wanted: shown(after),
            origin: after.and_then(|it| it.origin.clone()),
            needs_restart: needs_restart(key),
        })
    };
    names.into_iter().filter_map(change).collect()
}

/// A value as people read it.
fn shown(key: Option<&KeyValue>) -> String {
    match key.map(|key| &key.value) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Loaded, RELOADABLE};

    fn keys(text: &str) -> Keys {
        Loaded::of_text(text).unwrap().keys()
    }

    #[test]
    fn every_reloadable_name_is_that_of_a_key_or_section() {
        let all = keys("alerts:\n  channels:\n    log_file:\n      - {name: a, path: b}\nlogging:\n  level: info\n");
        for name in RELOADABLE {
            let is_there = all.keys().any(|key| {
                key.strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            });
            assert!(is_there, "{name}");
        }
    }

    #[test]
    fn keys_that_differ_are_named_with_what_they_need() {
        let active = keys("alerts:\n  repeat: 2h\n");
        let wanted = keys("alerts:\n  repeat: 3h\n  directory: /a\ncapture:\n  pin: true\n");
        let changes = changes(&active, &wanted);
        let found: Vec<_> = changes
            .iter()
            .map(|it| {
                (
                    it.key.as_str(),
                    it.active.as_str(),
                    it.wanted.as_str(),
                    it.needs_restart,
                )
            })
            .collect();
        // A default that is written down is no change.
        assert_eq!(
            found,
            [
                ("alerts.directory", "-", "/a", true),
                ("alerts.repeat", "2h", "3h", false)
            ]
        );
        assert_eq!(changes[1].origin.as_deref(), Some("configuration:2:11"));
    }

    #[test]
    fn similar_names_are_not_taken_for_each_other() {
        assert!(!needs_restart("alerts.channels.log_file[a].path") && !needs_restart("alerts.repeat"));
        assert!(needs_restart("alerts.directory") && needs_restart("alerts.repeats"));
        assert!(needs_restart("capture.pin") && needs_restart("rollout.gradual.percents"));
    }
}
