//! Configuration: layers of files, environment and flags, and the validated form that the rest of the program sees.

mod alerts;
mod catalog;
mod check;
mod comparison;
mod document;
mod effective;
mod elasticsearch;
mod error;
mod keys;
mod layers;
mod loaded;
mod logging;
mod place;
mod raw;
mod resolve;
mod resolved;
mod restart;
mod rollout;
mod security;
mod stack;
mod suggest;
mod tree;
mod units;
mod web;

use std::path::Path;

pub use catalog::{Catalog, Choice, KeyInfo, KeyKind};
pub use document::{flow, reference, template, yaml};
pub use effective::{Effective, Origin};
pub use error::{ConfigError, Problem};
pub use keys::{KeyValue, Keys, keys_of};
pub use layers::{Layers, Lookup, STANDARD_FILE, STANDARD_SOCKET};
pub use loaded::Loaded;
pub use place::Source;
pub use resolve::check_interface_name;
pub use resolved::*;
pub use restart::{RELOADABLE, needs_restart};
pub use security::{Protection, Security};
pub use units::{Size, Span};

impl Config {
    /// Reads and validates a YAML file, with what is laid over it: fragments next to it, and the environment.
    ///
    /// # Errors
    /// As for [`Layers::load`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Ok(Layers::standard(&[path.into()]).load()?.config)
    }

    /// Reads and validates YAML text.
    ///
    /// # Errors
    /// All problems found, in the order of their places.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        Ok(stack::of_text(text)?.config)
    }
}
