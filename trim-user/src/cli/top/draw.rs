//! Draws the screen. What does not fit is left out from the bottom; the head and the keys stay.

mod panels;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Sparkline, Wrap};

use super::screen::{Dialog, Screen, WORD};
use crate::control::figures::metric;
use crate::control::rates::Rate;
use panels::Panel;

/// From this width on there are two columns.
const WIDE: u16 = 120;
/// Rows of a drawing of throughput.
const SPARKLINE: u16 = 2;

/// A value that is drawn: its name, how it is had, and its unit.
type Value = (&'static str, fn(&Rate) -> f64, &'static str);

/// Everything.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    let top = vec![panels::head(screen), panels::notice(screen)];
    frame.render_widget(Paragraph::new(top), head);
    let panels = panels::all(screen);
    if body.width >= WIDE {
        let [left, right] = Layout::horizontal([Constraint::Ratio(1, 2); 2]).spacing(2).areas(body);
        let rest = throughput(frame, screen, left);
        let (first, second): (Vec<_>, Vec<_>) = panels.into_iter().partition(|panel| panel.is_left);
        stack(frame, screen, &first, rest);
        stack(frame, screen, &second, right);
    } else {
        let rest = throughput(frame, screen, body);
        stack(frame, screen, &panels, rest);
    }
    frame.render_widget(Paragraph::new(panels::keys(screen)), foot);
    match &screen.dialog {
        Dialog::None => {}
        Dialog::Help => window(frame, "Keys", panels::help()),
        Dialog::RollBack(typed) => window(frame, "Take all traffic back to legacy?", question(typed)),
    }
}

/// Draws the throughput and gives what is left of the area.
fn throughput(frame: &mut Frame<'_>, screen: &Screen, area: Rect) -> Rect {
    let [top, rest] = Layout::vertical([Constraint::Length(SPARKLINE + 2), Constraint::Min(0)]).areas(area);
    let block = title(screen, "Throughput");
    let inner = block.inner(top);
    frame.render_widget(block, top);
    let columns = Layout::horizontal([Constraint::Ratio(1, 3); 3]).spacing(1).split(inner);
    let values: [Value; 3] = [
        ("seen", |rate| rate.packets, "pkt/s"),
        ("received", |rate| rate.bits, "bit/s"),
        ("written", |rate| rate.file_bytes, "B/s"),
    ];
    let latest = screen.rates.latest();
    for (&area, (name, of, unit)) in columns.iter().zip(values) {
        let [label, drawing] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        let value = latest
            .as_ref()
            .map_or_else(|| "-".to_owned(), |rate| metric(of(rate), unit));
        let words = Line::from(vec![
            Span::raw(format!("{name} ")),
            Span::styled(value, screen.palette.title()),
        ]);
        frame.render_widget(words, label);
        let series = screen.rates.series(of);
        let visible = series.len().saturating_sub(drawing.width as usize);
        // Tenths, so that less than one in a second is still something.
        let bars = series[visible..]
            .iter()
            .map(|value| (value.unwrap_or(0.0) * 10.0).round() as u64);
        let line = Sparkline::default()
            .data(bars.collect::<Vec<_>>())
            .style(screen.palette.line());
        frame.render_widget(line, drawing);
    }
    rest
}

/// Panels one below the other, as many as fit.
fn stack(frame: &mut Frame<'_>, screen: &Screen, panels: &[Panel], area: Rect) {
    let mut rest = area;
    for panel in panels {
        if rest.height < 2 {
            return;
        }
        let height = (panel.lines.len() as u16 + 1).min(rest.height);
        let here = Rect { height, ..rest };
        rest = Rect {
            y: rest.y + height,
            height: rest.height - height,
            ..rest
        };
        let text = Paragraph::new(panel.lines.clone()).block(title(screen, panel.title));
        frame.render_widget(text, here);
    }
}

fn title<'a>(screen: &Screen, title: &'a str) -> Block<'a> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(screen.palette.quiet())
        .title(Span::styled(title, screen.palette.title()))
}

fn question(typed: &str) -> Vec<Line<'static>> {
    vec![
        Line::raw("Every flow goes to legacy from its next packet on, and the rollout ends."),
        Line::raw(format!("Type `{WORD}` and press Enter; Esc goes back.")),
        Line::raw(""),
        Line::raw(format!("> {typed}_")),
    ]
}

/// A window over the middle of the screen.
fn window(frame: &mut Frame<'_>, title: &str, lines: Vec<Line<'static>>) {
    let area = frame.area();
    let (width, height) = (area.width.min(64), area.height.min(lines.len() as u16 + 4));
    let here = Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    };
    let text = Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .block(Block::bordered().title(title));
    frame.render_widget(Clear, here);
    frame.render_widget(text, here);
}
