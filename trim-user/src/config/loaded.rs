//! A configuration with all that is known of its making.

use super::Config;
use super::place::Source;
use super::tree::Node;

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
