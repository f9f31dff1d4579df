//! What the page shows of one scenario, whatever was measured.

use crate::plots::Plot;
use crate::targets::Target;

/// One scenario.
pub(crate) struct Section {
    pub(crate) scenario: String,
    /// What it was measured on, in a line.
    pub(crate) machine: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) plots: Vec<Plot>,
    /// What the figures have to reach, with a word before each where they were measured more than once.
    pub(crate) targets: Vec<(&'static str, Target)>,
}

/// Figures under their heads.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) heads: &'static [&'static str],
    pub(crate) rows: Vec<Vec<String>>,
}
