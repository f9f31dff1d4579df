//! `trim top`: a running capture in a terminal.

mod draw;
mod poll;
mod screen;
mod style;

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::Exit;
use super::layers::SocketArgs;
use poll::Poller;
use screen::{Act, Screen};
use style::Palette;

/// A key is noticed within this time, and so is what the daemon says.
const TICK: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
pub(super) struct TopArgs {
    #[command(flatten)]
    socket: SocketArgs,
}

pub(super) fn run(args: &TopArgs) -> anyhow::Result<Exit> {
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        bail!(
            "`trim top` needs a terminal for input and output: `trim status` prints once, `trim health --watch` again and again"
        );
    }
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("cannot listen for signals")?;
    let poller = Poller::start(&args.socket.path())?;
    // Panics restore the terminal too: `try_init` sees to it.
    let mut terminal = ratatui::try_init().context("cannot take over the terminal")?;
    let result = watch(&mut terminal, &poller, &ended);
    ratatui::restore();
    result.context("the terminal is gone")?;
    Ok(Exit::Good)
}

/// Until somebody quits or a signal comes.
fn watch(terminal: &mut DefaultTerminal, poller: &Poller, ended: &AtomicBool) -> std::io::Result<()> {
    let mut screen = Screen::new(Palette::of_environment());
    while !ended.load(Ordering::Relaxed) {
        for news in poller.news() {
            screen.learn(news);
        }
        terminal.draw(|frame| draw::draw(frame, &screen))?;
        if !event::poll(TICK)? {
            continue;
        }
        // Everything else, such as a new size, is drawn with the next turn.
        if let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
        {
            match screen.press(key) {
                Act::Nothing => {}
                Act::Quit => break,
                Act::Ask(request) => {
                    if !poller.ask(request) {
                        screen.say("an earlier request is still on its way");
                    }
                }
            }
        }
    }
    Ok(())
}
