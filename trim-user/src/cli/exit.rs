//! Exit codes: the one place that defines them.

use std::process::ExitCode;

use crate::config::ConfigError;
use crate::control::api::ApiError;
use crate::control::client::ClientError;
use crate::data::live::LiveError;
use crate::data::offline::OfflineError;
use crate::data::sink::SinkError;
use crate::kernel::KernelError;
use crate::kernel::nic::NicError;
use crate::kernel::xsk::XskError;
use crate::ops::backup::BackupError;
use crate::ops::compare::SaveError;
use crate::ops::diag::DiagError;
use crate::telemetry::logging::LoggingError;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked to.
    Good = 0,
    /// The answer is "no": captures differ, packets are unaccounted for, not healthy.
    No = 1,
    /// The input or the command line is wrong.
    BadInput = 2,
    /// Something around is missing: a privilege, a device, a running daemon, space on the disk.
    Environment = 3,
}

/// For the end of the help text.
pub(super) const HELP: &str = "Exit codes: 0 good; 1 the answer is \"no\" (differences, packets unaccounted for); \
2 bad input or usage; 3 environment (privilege, device, no running capture).";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error with its causes. Most of our errors name their cause in their own words: it is not said twice.
pub(super) fn described(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Whether printing failed because nobody reads any more. Errors of captures name their file and are no such error.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let plain = error.downcast_ref().map(std::io::Error::kind);
    let json = error.downcast_ref().and_then(serde_json::Error::io_error_kind);
    plain.or(json) == Some(std::io::ErrorKind::BrokenPipe)
}

/// The exit code for an error: what kind of error is at its root decides.
pub(super) fn of_error(error: &anyhow::Error) -> Exit {
    let is_environment = error.chain().any(|cause| {
        cause.is::<KernelError>()
            || cause.is::<NicError>()
            || cause.is::<XskError>()
            || cause.is::<LiveError>()
            || cause.is::<ApiError>()
            || matches!(cause.downcast_ref(), Some(DiagError::Write { .. }))
            || matches!(
                cause.downcast_ref(),
                Some(
                    LoggingError::File { .. }
                        | LoggingError::Journal(_)
                        | LoggingError::Read { .. }
                        | LoggingError::Thread(_)
                )
            )
            || cause.is::<SinkError>()
            || matches!(
                cause.downcast_ref(),
                Some(SaveError::Directory { .. } | SaveError::Sink(_) | SaveError::Text { .. })
            )
            || matches!(
                cause.downcast_ref(),
                Some(OfflineError::Write(_) | OfflineError::Interrupted)
            )
            || cause.is::<ClientError>()
            || cause
                .downcast_ref()
                .is_some_and(|error: &BackupError| !error.is_bad_input())
    });
    let is_input = error.chain().any(|cause| {
        cause.is::<ConfigError>()
            || matches!(cause.downcast_ref(), Some(OfflineError::Read(_)))
            || matches!(cause.downcast_ref(), Some(ClientError::Refused(_)))
    });
    if is_environment && !is_input {
        Exit::Environment
    } else {
        Exit::BadInput
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let cause = std::io::Error::from_raw_os_error(2);
        let error = anyhow::Error::from(cause).context("cannot open x: No such file or directory (os error 2)");
        assert_eq!(
            described(&error),
            "cannot open x: No such file or directory (os error 2)"
        );
        let error = anyhow::anyhow!("disk on fire").context("cannot write");
        assert_eq!(described(&error), "cannot write: disk on fire");
    }
}
