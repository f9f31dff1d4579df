//! A configuration with all that is known of its making.

use super::error::ConfigError;
use super::place::Source;
use super::tree::Node;
use super::{Config, stack};

/// A configuration with all that is known of its making.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The validated configuration.
    pub config: Config,
    /// Where its layers came from, the lowest first.
    pub sources: Vec<Source>,
    /// What was written, with its places.
    pub(super) tree: Node,
}

impl Loaded {
    /// Reads and validates one text, such as an earlier configuration's.
    ///
    /// # Errors
    /// All problems found.
    pub fn of_text(text: &str) -> Result<Self, ConfigError> {
        stack::of_text(text).map_err(|problems| ConfigError::Invalid { problems })
    }
}
