//! Every key there is: what it means, its type, its range, its default.
//!
//! Nothing here is written twice: meanings are the doc comments of the types in `raw.rs`, ranges and defaults are what
//! checking notes while it checks.

mod key;
mod schema;

use std::sync::LazyLock;

pub(super) use key::shown;
pub use key::{Choice, KeyInfo, KeyKind};
use serde_json::Value;

use super::check::Fact;
use super::suggest;

/// One channel of each kind, named by its kind, so that the facts of channels are noted, too.
const CHANNELS: &str = "alerts: { channels: { \
    email: [{ name: email, host: h, from: a@b.c, to: [a@b.c] }], \
    slack: [{ name: slack, url: 'env:A' }], \
    webhook: [{ name: webhook, url: 'env:A' }], \
    alertmanager: [{ name: alertmanager, url: 'env:A' }], \
    log_file: [{ name: log_file, path: /a }] } }";

/// More keys of the same last word are no help.
const MOST_SUGGESTIONS: usize = 3;

static CATALOG: LazyLock<Catalog> = LazyLock::new(Catalog::make);

/// Every key and section of a configuration.
#[derive(Debug)]
pub struct Catalog {
    /// The JSON Schema (draft 2020-12) of a configuration file.
    pub schema: Value,
    /// Sections and keys, a section before what is in it, sorted by name.
    pub keys: Vec<KeyInfo>,
}

impl Catalog {
    /// The catalog of this program.
    pub fn get() -> &'static Self {
        &CATALOG
    }

    fn make() -> Self {
        let schema = schema::schema(&facts());
        let mut keys = Vec::new();
        key::collect(&schema, "", &mut keys);
        Self { schema, keys }
    }

    /// The key or section of this name. Items of lists may have numbers: `alerts.channels.email[0].host`.
    pub fn find(&self, key: &str) -> Option<&KeyInfo> {
        let wanted = without_numbers(key);
        self.keys.iter().find(|info| info.key == wanted)
    }

    /// The keys and sections right inside of this section; those of the top level for an empty name.
    pub fn inside(&self, section: &str) -> Vec<&KeyInfo> {
        let inside = self.keys.iter().filter(|info| info.parent() == section);
        inside.collect()
    }

    /// `; did you mean x?` for a key that there is not: by its last word in another section, or by its whole name.
    pub fn suggestion(&self, key: &str) -> String {
        let last = key.rsplit('.').next().unwrap_or(key);
        let same: Vec<&str> = self
            .keys
            .iter()
            .filter(|info| info.name() == last)
            .map(|info| info.key.as_str())
            .collect();
        if (1..=MOST_SUGGESTIONS).contains(&same.len()) {
            return format!("; did you mean `{}`?", same.join("` or `"));
        }
        let names: Vec<&str> = self.keys.iter().map(|info| info.key.as_str()).collect();
        suggest::did_you_mean(key, &names)
    }
}

/// What checking notes of every key, channels by their kinds.
fn facts() -> Vec<Fact> {
    super::stack::facts_of(CHANNELS)
}

fn without_numbers(key: &str) -> String {
    let mut parts = key.split('[');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        name.push('[');
        name.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    name
}
