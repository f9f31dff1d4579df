//! From what is written of alerts to what is meant.

use std::path::PathBuf;
use std::time::Duration;

use super::super::check::{Check, value};
use super::super::place::Spanned;
use super::super::suggest;
use super::channels::channels;
use super::raw::{self, Alerts, Inhibit, Queue};
use crate::control::alert::engine::{EngineSettings, Inhibition};
use crate::control::alert::matcher::Matchers;
use crate::control::alert::rules::{Bad, RULES, Rule, RuleBook};
use crate::control::alert::{AlertSettings, Level, QueueBounds};

const SECOND: Duration = Duration::from_secs(1);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Greatest threshold, percent.
const MOST_THRESHOLD: u32 = 10_000;

/// Where messages wait, when there is a channel that they could wait for.
const DIRECTORY: &str = "/var/lib/trim/alerts";

pub(in super::super) fn resolve(check: &mut Check, raw: &Alerts) -> AlertSettings {
    let defaults = EngineSettings::default();
    let span = |check: &mut Check, key: &str, given, default, least| {
        check.span(&format!("alerts.{key}"), given, default, least, 30 * DAY)
    };
    let engine = EngineSettings {
        rules: rules(check, raw),
        group_by: group_by(check, raw, &defaults),
        group_wait: span(
            check,
            "group_wait",
            &raw.group_wait,
            defaults.group_wait,
            Duration::ZERO,
        ),
        group_interval: span(
            check,
            "group_interval",
            &raw.group_interval,
            defaults.group_interval,
            Duration::ZERO,
        ),
        repeat: span(check, "repeat", &raw.repeat, defaults.repeat, SECOND),
        resolve_after: span(
            check,
            "resolve_after",
            &raw.resolve_after,
            defaults.resolve_after,
            Duration::ZERO,
        ),
        event_lasts: span(check, "event_lasts", &raw.event_lasts, defaults.event_lasts, SECOND),
        retry_pause: span(check, "retry_pause", &raw.retry_pause, defaults.retry_pause, SECOND),
        inhibitions: inhibitions(check, raw.inhibit.as_deref()),
        audiences: Vec::new(),
    };
    let channels = channels(check, &raw.channels, engine.repeat);
    check.note("alerts.directory", ());
    let given = raw.directory.as_ref().map(|path| path.value.clone());
    AlertSettings {
        directory: given.or_else(|| (!channels.is_empty()).then(|| PathBuf::from(DIRECTORY))),
        queue: queue(check, &raw.queue),
        engine,
        channels,
    }
}

fn queue(check: &mut Check, raw: &Queue) -> QueueBounds {
    let defaults = QueueBounds::default();
    QueueBounds {
        messages: check.number(
            "alerts.queue.messages",
            &raw.messages,
            defaults.messages as u32,
            1,
            1_000_000,
        ) as usize,
        bytes: check.size("alerts.queue.bytes", &raw.bytes, defaults.bytes, 64 << 10, 16 << 30),
        age: check.span("alerts.queue.age", &raw.age, defaults.age, SECOND, 30 * DAY),
    }
}

fn group_by(check: &mut Check, raw: &Alerts, defaults: &EngineSettings) -> Vec<String> {
    check.note("alerts.group_by", &defaults.group_by);
    let Some(given) = &raw.group_by else {
        return defaults.group_by.clone();
    };
    for label in given {
        if label.value.is_empty() {
            check.at(
                label.referenced,
                "alerts.group_by",
                "a label has a name, such as rule or strategy",
            );
        }
    }
    given.iter().map(|label| label.value.clone()).collect()
}

fn rules(check: &mut Check, raw: &Alerts) -> RuleBook {
    let mut book = RuleBook::default();
    for kind in RULES {
        rule_facts(check, kind.name, &Rule::from(&kind));
    }
    for (name, given) in &raw.rules {
        match book.get(name).map(|rule| rule.bad) {
            Some(bad) => rule(check, &mut book, name, given, bad),
            None => {
                let known: Vec<&str> = RULES.iter().map(|kind| kind.name).collect();
                let hint = suggest::did_you_mean(name, &known);
                let message = format!("there is no rule `{name}`: {}{hint}", suggest::listed(&known));
                check.at(given.referenced, "alerts.rules", message);
            }
        }
    }
    book
}

/// Notes what holds of a rule that is not configured.
fn rule_facts(check: &mut Check, name: &str, rule: &Rule) {
    let key = |word: &str| format!("alerts.rules.{name}.{word}");
    check.note(&key("enabled"), rule.enabled);
    match rule.bad {
        Bad::Always(level) => check.note(&key("level"), level.name()),
        Bad::Above | Bad::Below => {
            for (word, default) in [("warning", rule.warning), ("critical", rule.critical)] {
                check.fact(&key(word), default, Some(0.into()), Some(MOST_THRESHOLD.into()));
            }
        }
    }
    check.span(&key("for"), &None, rule.hold, Duration::ZERO, DAY);
    check.optional_span(&key("repeat"), &None, SECOND);
}

fn rule(check: &mut Check, book: &mut RuleBook, name: &str, given: &Spanned<raw::Rule>, bad: Bad) {
    let Some(rule) = book.get_mut(name) else { return };
    let raw = &given.value;
    let key = |word: &str| format!("alerts.rules.{name}.{word}");
    rule.enabled = value(&raw.enabled).unwrap_or(rule.enabled);
    rule.hold = check.span(&key("for"), &raw.hold, rule.hold, Duration::ZERO, DAY);
    if raw.repeat.is_some() {
        rule.repeat = Some(check.span(&key("repeat"), &raw.repeat, SECOND, SECOND, 30 * DAY));
    }
    match bad {
        Bad::Always(_) => {
            if let Some(level) = &raw.level {
                match Level::parse(&level.value) {
                    Ok(level) => rule.bad = Bad::Always(level),
                    Err(problem) => check.at(level.referenced, &key("level"), problem),
                }
            }
            for (word, given) in [("warning", &raw.warning), ("critical", &raw.critical)] {
                if let Some(given) = given {
                    check.at(
                        given.referenced,
                        &key(word),
                        "this rule is not measured: it has a `level`, no thresholds",
                    );
                }
            }
        }
        Bad::Above | Bad::Below => {
            if let Some(level) = &raw.level {
                let message = "this rule is measured: it has the thresholds `warning` and `critical`, no level";
                check.at(level.referenced, &key("level"), message);
            }
            for (word, given, threshold) in [
                ("warning", &raw.warning, &mut rule.warning),
                ("critical", &raw.critical, &mut rule.critical),
            ] {
                if given.is_some() {
                    *threshold = Some(check.number(&key(word), given, 0.0, 0.0, MOST_THRESHOLD.into()));
                }
            }
        }
    }
    if let (Some(warning), Some(critical)) = (rule.warning, rule.critical)
        && ((bad == Bad::Above && warning > critical) || (bad == Bad::Below && warning < critical))
    {
        let message = format!("it is critical at {critical} before it is a warning at {warning}");
        check.at(given.referenced, &format!("alerts.rules.{name}"), message);
    }
}

fn inhibitions(check: &mut Check, raw: Option<&[Inhibit]>) -> Vec<Inhibition> {
    let defaults = Inhibition::DEFAULTS
        .map(|(source, target)| serde_json::json!({ "source": source, "target": target, "equal": ["strategy"] }));
    check.note("alerts.inhibit", defaults);
    let Some(raw) = raw else { return Inhibition::defaults() };
    let mut matchers = |given: &Spanned<String>, word: &str| {
        let parsed = Matchers::parse(&given.value);
        parsed
            .map_err(|problem| check.at(given.referenced, &format!("alerts.inhibit.{word}"), problem))
            .ok()
    };
    let parsed = raw.iter().filter_map(|one| {
        let (source, target) = (matchers(&one.source, "source"), matchers(&one.target, "target"));
        Some(Inhibition {
            source: source?,
            target: target?,
            equal: one.equal.clone(),
        })
    });
    parsed.collect()
}
