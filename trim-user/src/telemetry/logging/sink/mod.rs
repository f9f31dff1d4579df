//! Where lines go.

mod file;
mod journald;
mod stderr;

use std::io;

use super::error::LoggingError;
use super::line::Line;
use super::settings::{LogFormat, LogTo, Logging};

pub(super) use file::{CURRENT, is_log};
#[cfg(test)]
pub(super) use {journald::Journal, stderr::Stream};

/// Takes lines. Only the writing thread calls it, so it may take its time.
pub(super) trait Sink: Send {
    /// Writes a line.
    fn write(&mut self, line: &Line) -> io::Result<()>;

    /// Says somewhere else that writing begins to fail.
    fn complain(&mut self, _error: &io::Error) {}

    /// Everything is to be written.
    fn flush(&mut self) {}
}

/// The sink that is configured.
pub(super) fn open(settings: &Logging) -> Result<Box<dyn Sink>, LoggingError> {
    Ok(match settings.to {
        LogTo::Stderr => Box::new(stderr::Stream::stderr(settings.format)),
        LogTo::Journald => Box::new(journald::Journal::connect()?),
        LogTo::File => Box::new(file::Files::open(settings)?),
    })
}

fn rendered(line: &Line, format: LogFormat, is_coloured: bool) -> String {
    let mut text = match format {
        LogFormat::Text => line.text(is_coloured),
        LogFormat::Json => line.json(),
    };
    text.push('\n');
    text
}
