//! Printing for people and for programs.

use std::io::Write as _;

use serde::Serialize;

pub(super) use crate::control::figures::{bytes, nanoseconds, number, share};

/// Prints one JSON object on one line of standard output.
///
/// # Errors
/// When standard output is closed.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    writeln!(out)?;
    out.flush()?;
    Ok(())
}

/// Prints text on standard output.
///
/// # Errors
/// When standard output is closed.
pub(super) fn text(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}
