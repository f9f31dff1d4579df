//! Making stored decisions again: they have to come out as they did.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::decisions::{Raw, Which};
use super::error::StoreError;
use super::file::Store;
use super::hash::hash;
use crate::control::health::Moment;
use crate::control::rollout::{Plan, decide};

/// At most so many places of a decision are told; the first ones say enough.
const MOST_PLACES: usize = 20;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replayed {
    /// Decisions that were made again.
    pub decisions: u64,
    /// Those that came out otherwise.
    pub differences: Vec<Difference>,
}

/// A decision that did not come out as it is stored: somebody changed what is stored, or the program decides otherwise now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Its number.
    pub sequence: u64,
    /// When it was made.
    pub at: Moment,
    /// Where it differs, such as `/state/phase: stored "ab_test", now "gradual_rollout"`.
    pub places: Vec<String>,
}

impl Store {
    /// Makes stored decisions again from their plan, state, input and time.
    ///
    /// # Errors
    /// When they cannot be read. A decision that is no JSON any more is a difference, not an error.
    pub fn replay(&self, which: Which) -> Result<Replayed, StoreError> {
        let mut replayed = Replayed::default();
        self.each(which, |raw| {
            replayed.decisions += 1;
            let places = compare(&raw);
            if !places.is_empty() {
                replayed.differences.push(Difference {
                    sequence: raw.sequence,
                    at: raw.at,
                    places,
                });
            }
            Ok(())
        })?;
        Ok(replayed)
    }
}

fn compare(raw: &Raw) -> Vec<String> {
    let (plan, recorded) = match (plan(raw), raw.parse()) {
        (Ok(plan), Ok(recorded)) => (plan, recorded),
        (Err(problem), _) => return vec![problem],
        (_, Err((what, error))) => return vec![format!("{what} cannot be read: {error}")],
    };
    let again = decide(&plan, &recorded.before, &recorded.input, recorded.at);
    if again == recorded.decision {
        return Vec::new();
    }
    let json = |decision| serde_json::to_value(decision).unwrap_or_default();
    let mut places = Vec::new();
    differ(
        &json(&recorded.decision),
        &json(&again),
        &mut String::new(),
        &mut places,
    );
    if places.is_empty() {
        // Numbers that JSON does not tell apart.
        places.push("the decision differs".to_owned());
    }
    places
}

fn plan(raw: &Raw) -> Result<Plan, String> {
    let text = raw.plan.as_deref().ok_or("its plan is missing")?;
    if hash(text) != raw.hash {
        return Err("its plan was changed: it has another hash".to_owned());
    }
    serde_json::from_str(text).map_err(|error| format!("its plan cannot be read: {error}"))
}

/// Names the places in which two values differ.
fn differ(stored: &Value, again: &Value, place: &mut String, places: &mut Vec<String>) {
    if stored == again || places.len() >= MOST_PLACES {
        return;
    }
    let length = place.len();
    let mut descend = |name: &str, stored: Option<&Value>, again: Option<&Value>| {
        place.push('/');
        place.push_str(name);
        differ(
            stored.unwrap_or(&Value::Null),
            again.unwrap_or(&Value::Null),
            place,
            places,
        );
        place.truncate(length);
    };
    match (stored, again) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                descend(name, Some(value), other.get(name));
            }
            for (name, value) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
                descend(name, None, Some(value));
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for index in 0..one.len().max(other.len()) {
                descend(&index.to_string(), one.get(index), other.get(index));
            }
        }
        _ => places.push(format!("{place}: stored {stored}, now {again}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_named_by_their_place() {
        let stored = json!({"a": [1, 2], "b": {"c": "x"}, "d": 1});
        let again = json!({"a": [1, 3, 4], "b": {"c": "y"}, "d": 1});
        let mut places = Vec::new();
        differ(&stored, &again, &mut String::new(), &mut places);
        assert_eq!(
            places,
            [
                "/a/1: stored 2, now 3",
                "/a/2: stored null, now 4",
                "/b/c: stored \"x\", now \"y\""
            ]
        );
    }
}
