//! What all reports have in common: they are printed, recorded, and judged as a whole.

use serde::Serialize;

use crate::machine::Machine;
use crate::report::Report;
use crate::table;

/// The report of a scenario.
pub(crate) trait Shown: Serialize {
    /// Name of the scenario.
    fn scenario(&self) -> &str;

    /// What it was measured on, and when.
    fn machine(&self) -> &Machine;

    /// The report as a person reads it.
    fn text(&self) -> String;

    /// Whether what was done was right, however fast.
    fn is_sound(&self) -> bool;
}

impl Shown for Report {
    fn scenario(&self) -> &str {
        &self.scenario
    }

    fn machine(&self) -> &Machine {
        &self.machine
    }

    fn text(&self) -> String {
        table::text(self)
    }

    fn is_sound(&self) -> bool {
        self.is_balanced()
    }
}
