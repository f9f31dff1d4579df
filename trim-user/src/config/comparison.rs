//! The section `comparison`: what becomes of differences between the strategies.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::Check;
use super::place::Key;
use super::units::Size;
use crate::data::exemplar::ExemplarSettings;

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Comparison {
    /// Most exemplars of each class of difference that a capture saves in mode `comparison`, each from another flow: 0
    /// to 1000. 0 saves none.
    exemplars: Key<u32>,
    /// Their folder; it is made, mode 0700, when there is one to save.
    directory: Key<PathBuf>,
    /// Most bytes in that folder, those of earlier captures included; what comes beyond is counted and not saved.
    size: Key<Size>,
}

pub(super) fn resolve(check: &mut Check, raw: &Comparison) -> ExemplarSettings {
    ExemplarSettings {
        of_each_class: check.number("comparison.exemplars", &raw.exemplars, 4, 0, 1000),
        directory: check.path("comparison.directory", &raw.directory, "/var/lib/trim/differences"),
        bytes: check.size("comparison.size", &raw.size, 64 << 20, 64 << 10, 1 << 40),
    }
}
