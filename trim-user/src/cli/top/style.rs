//! Colours, and none where none are wanted (no-color.org).

use ratatui::style::{Color, Modifier, Style};

use crate::control::health::{Level, Verdict};

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    has_colours: bool,
}

impl Palette {
    /// Colours, or none: then only bold and reversed letters.
    pub(super) const fn new(has_colours: bool) -> Self {
        Self { has_colours }
    }

    /// As `NO_COLOR` and `TERM` wish.
    pub(super) fn of_environment() -> Self {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self::new(!is_set("NO_COLOR") && !is_dumb)
    }

    /// A colour on the terminal's own background.
    fn colour(self, colour: Color, without: Modifier) -> Style {
        if self.has_colours {
            Style::new().fg(colour).add_modifier(Modifier::BOLD)
        } else {
            Style::new().add_modifier(without)
        }
    }

    /// What is well.
    pub(super) fn good(self) -> Style {
        self.colour(Color::Green, Modifier::empty())
    }

    /// What is to be looked at.
    pub(super) fn warning(self) -> Style {
        self.colour(Color::Yellow, Modifier::BOLD)
    }

    /// What is to be looked at now.
    pub(super) fn critical(self) -> Style {
        self.colour(Color::Red, Modifier::REVERSED)
    }

    /// A drawing.
    pub(super) fn line(self) -> Style {
        if self.has_colours {
            Style::new().fg(Color::Cyan)
        } else {
            Style::new()
        }
    }

    /// What matters less.
    pub(super) const fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// A title.
    pub(super) const fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A level of health.
    pub(super) fn level(self, level: Level) -> Style {
        match level {
            Level::Healthy => self.good(),
            Level::Warning => self.warning(),
            Level::Critical => self.critical(),
        }
    }

    /// A dimension: only what is known to be well is green.
    pub(super) fn verdict(self, verdict: Verdict, level: Level) -> Style {
        match verdict {
            Verdict::Pass | Verdict::Fail => self.level(level),
            Verdict::Inconclusive | Verdict::NoData => self.level(level.max(Level::Warning)),
        }
    }
}
