//! Configuration before it has types: a tree whose every node knows where it was written.

mod deserialize;
mod error;
mod scalar;
mod yaml;

pub(super) use deserialize::typed;
pub(super) use scalar::Meaning;
pub(super) use yaml::parse;

use super::place::Place;

/// A node with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A single value as it is written.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order it is written in; each key once.
    Map(Vec<Entry>),
}

/// How a scalar was written, which decides what it may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// In YAML without quotes: a number, a word, true, null.
    Plain,
    /// In YAML with quotes or as a block: text.
    Quoted,
    /// In a variable or a flag: like plain, and lists are separated by commas.
    Words,
}

/// A single value.
#[derive(Clone, Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) style: Style,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

impl Node {
    /// A map without keys.
    pub(super) fn empty(place: Place) -> Self {
        Self {
            place,
            kind: Kind::Map(Vec::new()),
        }
    }

    /// Whether nothing is given: `key:`, `key: ~` or `key: null`.
    pub(super) fn is_null(&self) -> bool {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.is_null(),
            Kind::List(_) | Kind::Map(_) => false,
        }
    }

    /// Lays another tree over this one. Maps are merged key by key; everything else is replaced. A section that is
    /// named without a key in it changes nothing.
    pub(super) fn overlay(&mut self, upper: Self) {
        if upper.is_null() && matches!(self.kind, Kind::Map(_)) {
            return;
        }
        match (&mut self.kind, upper.kind) {
            (Kind::Map(lower), Kind::Map(upper)) => {
                for entry in upper {
                    match lower.iter_mut().find(|known| known.key == entry.key) {
                        Some(known) => {
                            known.place = entry.place;
                            known.value.overlay(entry.value);
                        }
                        None => lower.push(entry),
                    }
                }
            }
            (kind, upper_kind) => {
                *kind = upper_kind;
                self.place = upper.place;
            }
        }
    }

    /// Puts a node under a dotted key, or takes away what is there.
    pub(super) fn put(&mut self, key: &str, node: Option<Self>) {
        let Kind::Map(entries) = &mut self.kind else { return };
        let (first, rest) = key.split_once('.').map_or((key, None), |(a, b)| (a, Some(b)));
        let known = entries.iter().position(|entry| entry.key == first);
        match (known, node, rest) {
            (Some(at), None, None) => drop(entries.remove(at)),
            (None, None, _) => {}
            (Some(at), node, Some(rest)) => entries[at].value.put(rest, node),
            (Some(at), Some(node), None) => entries[at].value = node,
            (None, Some(node), _) => entries.push(Entry {
                key: first.to_owned(),
                place: node.place,
                value: match rest {
                    Some(rest) => nested(node.place, rest, node),
                    None => node,
                },
            }),
        }
    }

    /// Moves every place up by so many layers.
    pub(super) fn shift_layers(&mut self, by: u32) {
        self.place.layer += by;
        match &mut self.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.shift_layers(by)),
            Kind::Map(entries) => {
                for entry in entries {
                    entry.place.layer += by;
                    entry.value.shift_layers(by);
                }
            }
        }
    }

    /// The node under a dotted key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let (first, rest) = key.split_once('.').map_or((key, None), |(a, b)| (a, Some(b)));
        let Kind::Map(entries) = &self.kind else { return None };
        let value = &entries.iter().find(|entry| entry.key == first)?.value;
        match rest {
            Some(rest) => value.get(rest),
            None => Some(value),
        }
    }
}

/// The tree that has one value under a dotted key.
pub(super) fn nested(place: Place, key: &str, value: Node) -> Node {
    key.rsplit('.').fold(value, |value, part| Node {
        place,
        kind: Kind::Map(vec![Entry {
            key: part.to_owned(),
            place,
            value,
        }]),
    })
}
