//! The screen in several states and sizes, from what a real daemon said.

use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::poll::{Asked, News, Reading};
use super::super::screen::{Act, Screen};
use super::super::style::Palette;
use crate::control::rollout::{Request, Status as RolloutStatus};
use crate::control::switch::Reach;

const STATUS: &str = include_str!("fixtures/status.json");
const HEALTH: &str = include_str!("fixtures/health.json");
const ALERTS: &str = include_str!("fixtures/alerts.json");

fn reading(second: u64) -> Box<Reading> {
    let mut reading = Reading {
        at: Duration::from_secs(second),
        status: serde_json::from_str(STATUS).unwrap(),
        view: serde_json::from_str(HEALTH).unwrap(),
        alerts: serde_json::from_str(ALERTS).unwrap(),
    };
    // As if a hundred packets more had come each second.
    reading.status.accounts.seen += second * 100;
    reading.status.bytes.received += second * 100_000;
    Box::new(reading)
}

fn screen() -> Screen {
    let mut screen = Screen::new(Palette::new(true));
    (0..30).for_each(|second| screen.learn(News::Reading(reading(second))));
    screen
}

fn picture(screen: &Screen, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| super::draw(frame, screen)).unwrap();
    terminal.backend().to_string()
}

fn press(screen: &mut Screen, code: KeyCode) -> Act {
    screen.press(KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn a_usual_terminal_shows_everything() {
    insta::assert_snapshot!(picture(&screen(), 80, 24));
}

#[test]
fn a_wide_terminal_has_two_columns() {
    insta::assert_snapshot!(picture(&screen(), 140, 30));
}

#[test]
fn no_terminal_is_too_small() {
    let mut screen = screen();
    for dialog in [None, Some('?'), Some('r')] {
        if let Some(key) = dialog {
            press(&mut screen, KeyCode::Char(key));
        }
        for (width, height) in [(1, 1), (2, 3), (10, 4), (40, 10), (79, 5), (300, 2)] {
            picture(&screen, width, height);
        }
        press(&mut screen, KeyCode::Esc);
    }
    let small = picture(&screen, 40, 10);
    assert!(small.contains("trim") && small.contains("q quit"), "{small}");
}

#[test]
fn a_daemon_that_goes_away_is_said_and_its_numbers_stay() {
    let mut screen = screen();
    screen.learn(News::Lost("no trim is running behind /run/trim.sock".to_owned()));
    let lost = picture(&screen, 80, 24);
    assert!(lost.contains("NO ANSWER, trying again: no trim is running"), "{lost}");
    assert!(lost.contains("balance 0"), "{lost}");
    screen.learn(News::Reading(reading(60)));
    assert!(!picture(&screen, 80, 24).contains("NO ANSWER"));
}

#[test]
fn before_the_first_answer_nothing_is_made_up() {
    let screen = Screen::new(Palette::new(false));
    let empty = picture(&screen, 80, 24);
    assert!(
        empty.contains("asking the daemon") && !empty.contains("balance"),
        "{empty}"
    );
}

#[test]
fn a_rollback_needs_its_word() {
    let mut screen = screen();
    press(&mut screen, KeyCode::Char('r'));
    assert!(picture(&screen, 80, 24).contains("Type `rollback`"));
    assert_eq!(press(&mut screen, KeyCode::Enter), Act::Nothing, "nothing was typed");
    assert!(picture(&screen, 80, 24).contains("not rolled back"));
    press(&mut screen, KeyCode::Char('r'));
    for letter in "rollbacl".chars() {
        assert_eq!(press(&mut screen, KeyCode::Char(letter)), Act::Nothing);
    }
    press(&mut screen, KeyCode::Backspace);
    press(&mut screen, KeyCode::Char('k'));
    let asked = Asked::Rollout(Request::Rollback(Reach::Immediate), "confirmed in trim top".to_owned());
    assert_eq!(press(&mut screen, KeyCode::Enter), Act::Ask(asked));
}

#[test]
fn keys_do_what_they_say() {
    let mut screen = screen();
    let by_key = |request| Act::Ask(Asked::Rollout(request, "by a key in trim top".to_owned()));
    screen.reading.as_mut().unwrap().view.state.status = RolloutStatus::InProgress;
    assert_eq!(press(&mut screen, KeyCode::Char('p')), by_key(Request::Pause));
    screen.reading.as_mut().unwrap().view.state.status = RolloutStatus::Paused;
    assert_eq!(press(&mut screen, KeyCode::Char('p')), by_key(Request::Resume));
    let first = screen.open_alerts()[0].id;
    assert_eq!(
        press(&mut screen, KeyCode::Char('a')),
        Act::Ask(Asked::Acknowledge(first))
    );
    press(&mut screen, KeyCode::Char('?'));
    assert_eq!(
        press(&mut screen, KeyCode::Char('q')),
        Act::Nothing,
        "any key leaves the help"
    );
    assert_eq!(press(&mut screen, KeyCode::Char('q')), Act::Quit);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(screen.press(interrupt), Act::Quit);
}

#[test]
fn without_colours_there_are_none() {
    let mut screen = screen();
    screen.palette = Palette::new(false);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| super::draw(frame, &screen)).unwrap();
    let cells = terminal.backend().buffer().content();
    let plain = ratatui::style::Color::Reset;
    assert!(cells.iter().all(|cell| cell.fg == plain && cell.bg == plain));
}
