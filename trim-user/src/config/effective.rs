//! What holds: every key with its value, and where that came from.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::catalog::{Catalog, KeyInfo, KeyKind};
use super::check;
use super::loaded::Loaded;
use super::place::{Place, Source};
use super::tree::{Kind, Meaning, Node, Scalar, Style};
use super::units::{Size, Span};
use crate::telemetry::logging::Redactor;

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is what the program does by itself.
    Default,
    /// It is written.
    Written {
        /// In what.
        source: Source,
        /// Line, from 1; 0 where there are no lines.
        line: u32,
        /// Column, from 1; 0 where there are no columns.
        column: u32,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Written { source, line: 0, .. } => source.fmt(f),
            Self::Written { source, line, column } => write!(f, "{source}:{line}:{column}"),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A key with the value that holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Effective {
    /// The key with its sections; items of lists of sections have numbers, such as `alerts.channels.email[0].host`.
    pub key: String,
    /// Its value as it would be written in a file; null when there is none. Credentials in addresses are hidden.
    pub value: Value,
    /// Where it came from.
    pub origin: Origin,
}

impl Loaded {
    /// Every key with the value that holds, in the order of the catalog.
    pub fn effective(&self) -> Vec<Effective> {
        let mut walk = Walk {
            loaded: self,
            catalog: Catalog::get(),
            redactor: Redactor::new(&[], &[]).ok(),
            found: Vec::new(),
        };
        walk.section("", "", Some(&self.tree));
        walk.found
    }

    fn origin(&self, place: Place) -> Origin {
        let source = usize::try_from(place.layer)
            .ok()
            .and_then(|layer| self.sources.get(layer));
        source.map_or(Origin::Default, |source| Origin::Written {
            source: source.clone(),
            line: place.line,
            column: place.column,
        })
    }
}

struct Walk<'a> {
    loaded: &'a Loaded,
    catalog: &'a Catalog,
    /// `None` when its patterns do not compile, which a test excludes; then texts are not shown.
    redactor: Option<Redactor>,
    found: Vec<Effective>,
}

impl Walk<'_> {
    /// Everything inside of a section of the catalog, which is called `path` here.
    fn section(&mut self, section: &str, path: &str, node: Option<&Node>) {
        for info in self.catalog.inside(section) {
            let path = match path {
                "" => info.name().to_owned(),
                path => format!("{path}.{}", info.name()),
            };
            let given = node
                .and_then(|node| node.get(info.name()))
                .filter(|node| !node.is_null());
            match (info.kind, given.map(|given| &given.kind)) {
                (KeyKind::Section, _) => self.section(&info.key, &path, given),
                (KeyKind::SectionList, Some(Kind::List(items))) if !items.is_empty() => {
                    for (at, item) in items.iter().enumerate() {
                        self.section(&info.key, &format!("{path}[{at}]"), Some(item));
                    }
                }
                (KeyKind::SectionList, None) if info.default.as_array().is_some_and(|items| !items.is_empty()) => {
                    self.default_items(info, &path);
                }
                _ => self.key(info, path, given),
            }
        }
    }

    /// The items that a list of sections has by default.
    fn default_items(&mut self, list: &KeyInfo, path: &str) {
        for (at, item) in list.default.as_array().into_iter().flatten().enumerate() {
            for info in self.catalog.inside(&list.key) {
                self.found.push(Effective {
                    key: format!("{path}[{at}].{}", info.name()),
                    value: item[info.name()].clone(),
                    origin: Origin::Default,
                });
            }
        }
    }

    fn key(&mut self, info: &KeyInfo, key: String, given: Option<&Node>) {
        let (value, origin) = match given {
            Some(node) => (self.value(info.kind, node), self.loaded.origin(node.place)),
            None => (info.default.clone(), Origin::Default),
        };
        self.found.push(Effective { key, value, origin });
    }

    fn value(&self, kind: KeyKind, node: &Node) -> Value {
        match &node.kind {
            Kind::List(items) => items.iter().map(|item| self.value(KeyKind::List, item)).collect(),
            Kind::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), self.value(KeyKind::List, &entry.value)));
                Value::Object(entries.collect())
            }
            Kind::Scalar(scalar) => self.scalar(kind, scalar),
        }
    }

    fn scalar(&self, kind: KeyKind, scalar: &Scalar) -> Value {
        let text = scalar.text.as_str();
        let as_written = || Value::String(text.to_owned());
        match kind {
            KeyKind::Size => Size::parse(text).map_or_else(|_| as_written(), check::written),
            KeyKind::Duration => Span::parse(text).map_or_else(|_| as_written(), check::written),
            KeyKind::Text | KeyKind::Word => self.shown(text),
            KeyKind::List if scalar.style == Style::Words => {
                text.split(',').map(|word| self.meant(word.trim())).collect()
            }
            _ => match scalar.meaning() {
                Meaning::Text(text) => self.shown(text),
                _ => scalar.json(),
            },
        }
    }

    /// One word of several.
    fn meant(&self, word: &str) -> Value {
        match word.parse::<u64>() {
            Ok(number) => number.into(),
            Err(_) => self.shown(word),
        }
    }

    fn shown(&self, text: &str) -> Value {
        self.redactor.as_ref().map(|redactor| redactor.text(text)).into()
    }
}
