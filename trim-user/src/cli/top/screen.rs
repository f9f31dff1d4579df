//! What is on the screen, and what keys do. No terminal, no daemon: both are given.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::poll::{Asked, News, Reading};
use super::style::Palette;
use crate::control::alert::engine::State as AlertState;
use crate::control::alert::view::AlertView;
use crate::control::rates::{Rates, Totals};
use crate::control::rollout::{Request, Status};
use crate::control::switch::Reach;

/// What has to be typed before everything is taken back.
pub(super) const WORD: &str = "rollback";
/// Longest text that is typed.
const LONGEST: usize = 200;

/// What a key leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Nothing but another picture.
    Nothing,
    /// The end.
    Quit,
    /// A request to the daemon.
    Ask(Asked),
}

/// What keys mean at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dialog {
    /// Commands.
    None,
    /// Any key goes back.
    Help,
    /// The word that confirms a rollback is being typed.
    RollBack(String),
}

/// What is on the screen.
pub(super) struct Screen {
    pub(super) palette: Palette,
    pub(super) reading: Option<Reading>,
    pub(super) rates: Rates,
    /// Why the daemon says nothing.
    pub(super) lost: Option<String>,
    /// What became of the last request.
    pub(super) message: String,
    pub(super) dialog: Dialog,
    /// Which of the open alerts is chosen.
    pub(super) chosen: usize,
}

impl Screen {
    pub(super) fn new(palette: Palette) -> Self {
        Self {
            palette,
            reading: None,
            rates: Rates::default(),
            lost: None,
            message: String::new(),
            dialog: Dialog::None,
            chosen: 0,
        }
    }

    /// Takes in what the daemon said, or that it says nothing.
    pub(super) fn learn(&mut self, news: News) {
        match news {
            News::Reading(reading) => {
                self.rates.observe(reading.at, Totals::of(&reading.status));
                self.lost = None;
                self.reading = Some(*reading);
                self.chosen = self.chosen.min(self.open_alerts().len().saturating_sub(1));
            }
            News::Lost(why) => {
                self.rates.miss();
                self.lost = Some(why);
            }
            News::Answer(answer) => self.message = answer,
        }
    }

    /// Shows a message.
    pub(super) fn say(&mut self, message: &str) {
        self.message = message.to_owned();
    }

    /// Alerts that have not ended: those that nobody has seen first.
    pub(super) fn open_alerts(&self) -> Vec<&AlertView> {
        let all = self.reading.iter().flat_map(|reading| &reading.alerts.alerts);
        let mut open: Vec<_> = all.filter(|alert| alert.state != AlertState::Resolved).collect();
        open.sort_by_key(|alert| alert.acknowledged.is_some());
        open
    }

    /// For how long the daemon of the last reading had run.
    pub(super) fn uptime(&self) -> Option<Duration> {
        let seconds = self.reading.as_ref()?.status.uptime_s;
        Some(Duration::from_secs_f64(seconds.max(0.0)))
    }

    /// What a key does.
    pub(super) fn press(&mut self, key: KeyEvent) -> Act {
        if key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Act::Quit;
        }
        match std::mem::replace(&mut self.dialog, Dialog::None) {
            Dialog::None => self.command(key.code),
            Dialog::Help => Act::Nothing,
            Dialog::RollBack(typed) => self.confirm(typed, key.code),
        }
    }

    fn command(&mut self, code: KeyCode) -> Act {
        self.message.clear();
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Act::Quit,
            KeyCode::Char('?' | 'h') => self.dialog = Dialog::Help,
            KeyCode::Char('r') => self.dialog = Dialog::RollBack(String::new()),
            KeyCode::Char('p') => return self.pause(),
            KeyCode::Char('a') => return self.acknowledge(),
            KeyCode::Down | KeyCode::Char('j') => {
                self.chosen = (self.chosen + 1).min(self.open_alerts().len().saturating_sub(1));
            }
            KeyCode::Up | KeyCode::Char('k') => self.chosen = self.chosen.saturating_sub(1),
            _ => {}
        }
        Act::Nothing
    }

    /// Pauses the rollout, or lets it go on.
    fn pause(&mut self) -> Act {
        let status = self.reading.as_ref().map(|reading| reading.view.state.status);
        let request = match status {
            Some(Status::InProgress) => Request::Pause,
            Some(Status::Paused) => Request::Resume,
            Some(other) => {
                self.message = format!("nothing to pause: the rollout is {}", other.name());
                return Act::Nothing;
            }
            None => {
                self.say("nothing is known of the rollout yet");
                return Act::Nothing;
            }
        };
        Act::Ask(Asked::Rollout(request, "by a key in trim top".to_owned()))
    }

    fn acknowledge(&mut self) -> Act {
        let alerts = self.open_alerts();
        let chosen = alerts.get(self.chosen);
        let chosen = chosen.map(|alert| (alert.id, alert.rule.clone(), alert.acknowledged.is_some()));
        match chosen {
            Some((id, rule, false)) => {
                // The list may not fit the terminal.
                self.say(&format!("acknowledging {rule}"));
                Act::Ask(Asked::Acknowledge(id))
            }
            Some((_, _, true)) => {
                self.say("somebody has seen this alert already");
                Act::Nothing
            }
            None => {
                self.say("there is no alert to acknowledge");
                Act::Nothing
            }
        }
    }

    fn confirm(&mut self, mut typed: String, code: KeyCode) -> Act {
        match code {
            KeyCode::Esc => {
                self.say("not rolled back");
                return Act::Nothing;
            }
            KeyCode::Enter if typed == WORD => {
                let request = Request::Rollback(Reach::Immediate);
                return Act::Ask(Asked::Rollout(request, "confirmed in trim top".to_owned()));
            }
            KeyCode::Enter => {
                self.message = format!("not rolled back: `{typed}` is not `{WORD}`");
                return Act::Nothing;
            }
            KeyCode::Backspace => drop(typed.pop()),
            KeyCode::Char(letter) if typed.len() < LONGEST && !letter.is_control() => typed.push(letter),
            _ => {}
        }
        self.dialog = Dialog::RollBack(typed);
        Act::Nothing
    }
}
