//! Standard error.

use std::io::{self, IsTerminal as _, Write};

use super::super::line::Line;
use super::super::settings::LogFormat;
use super::{Sink, rendered};

/// Standard error, or in tests something that remembers.
pub(in super::super) struct Stream<W> {
    out: W,
    format: LogFormat,
    is_coloured: bool,
}

impl Stream<io::Stderr> {
    pub(super) fn stderr(format: LogFormat) -> Self {
        let is_coloured = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self::new(io::stderr(), format, is_coloured)
    }
}

impl<W> Stream<W> {
    pub(in super::super) const fn new(out: W, format: LogFormat, is_coloured: bool) -> Self {
        Self {
            out,
            format,
            is_coloured,
        }
    }
}

impl<W: Write + Send> Sink for Stream<W> {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        self.out
            .write_all(rendered(line, self.format, self.is_coloured).as_bytes())
    }
}
