//! What is wrong with one node.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

use super::super::place::Place;
use super::super::suggest;

/// Why a node does not have the type it should have.
#[derive(Debug)]
pub(super) struct TypeError {
    pub(super) message: String,
    /// The node, once it is known: its path and its place.
    pub(super) node: Option<(String, Place)>,
}

impl TypeError {
    pub(super) fn new(message: impl Display) -> Self {
        Self {
            message: message.to_string(),
            node: None,
        }
    }

    /// Says which node it is about, unless a node further inside has said so.
    pub(super) fn at(mut self, path: &str, place: Place) -> Self {
        self.node.get_or_insert_with(|| (path.to_owned(), place));
        self
    }
}

impl Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TypeError {}

/// Values are not repeated here: which of them are secrets is not known.
impl de::Error for TypeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Bool(value) => format!("`{value}`"),
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a section with keys".to_owned(),
            Unexpected::Unit => "nothing".to_owned(),
            _ => "text".to_owned(),
        };
        Self::new(format!("{found} is not allowed: expected is {expected}"))
    }

    fn unknown_variant(found: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(format!(
            "`{found}` is not allowed: {}{}",
            suggest::listed(allowed),
            suggest::did_you_mean(found, allowed)
        ))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` has to be given here"))
    }
}
