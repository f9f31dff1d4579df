//! The end of `trim run`.

use std::fmt::Write as _;

use super::super::{Exit, status};
use crate::control::status::Summary;

/// The summary as a person reads it.
pub(super) fn render(summary: &Summary) -> String {
    let mut text = status::render(&summary.status);
    // Writing to a `String` cannot fail.
    let _ = writeln!(
        text,
        "file          {}",
        if summary.output.is_empty() {
            "none"
        } else {
            &summary.output
        }
    );
    for error in &summary.errors {
        let _ = writeln!(text, "error         {error}");
    }
    text
}

/// Packets that are nowhere, or a thread that broke off, are not a good end.
pub(super) fn verdict(summary: &Summary) -> Exit {
    if !summary.errors.is_empty() {
        Exit::Environment
    } else if summary.status.balance != 0 || summary.status.accounts.in_flight != 0 || summary.frames_leaked != 0 {
        Exit::No
    } else {
        Exit::Good
    }
}
