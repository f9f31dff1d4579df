//! Configuration: layers of files, environment and flags, and the validated form that the rest of the program sees.

mod alerts;
mod check;
mod comparison;
mod error;
mod layers;
mod logging;
mod place;
mod raw;
mod resolve;
mod resolved;
mod rollout;
mod suggest;
mod tree;
mod units;
mod web;

use std::path::Path;

pub use check::Fact;
pub use error::{ConfigError, Problem};
pub use layers::{Layers, Loaded, STANDARD_FILE};
pub use place::Source;
pub use resolve::check_interface_name;
pub use resolved::*;
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
        Ok(layers::of_text(text)?.config)
    }
}
