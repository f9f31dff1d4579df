//! Proof that a trimmed capture is faithful and clean.
//!
//! The judgement shares no code with the trimmers: it rebuilds whole streams from the original capture and frames them
//! by RFC 9112 in its own way ([`truth`]). It is slow, obvious, and needs memory in proportion to the capture.

mod compare;
mod layers;
mod options;
mod pairs;
mod payload;
mod report;
pub mod truth;

use std::path::Path;

pub use options::{Matching, Options};
pub use report::{BodyBytes, Fault, Finding, FreeBytes, HeaderBytes, Packets, Report, SecretBytes};

use super::capture::Capture;
use crate::data::capture::file::ReadError;

/// Why captures could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// One of the captures cannot be read to its end.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Holds the capture `trimmed` against `original`.
///
/// # Errors
/// When one of the files cannot be read to its end.
pub fn verify(original: &Path, trimmed: &Path, options: &Options) -> Result<Report, VerifyError> {
    let original = Capture::load(original)?;
    let trimmed = Capture::load(trimmed)?;
    Ok(judge(&original, &trimmed, options))
}

/// Holds one capture against another, both in memory.
pub fn judge(original: &Capture, trimmed: &Capture, options: &Options) -> Report {
    compare::compare(original, trimmed, options)
}
