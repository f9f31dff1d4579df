//! `trim alert`.

mod show;
mod test;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{DaemonArgs, Exit, output};
use crate::config::Span;
use crate::control::alert::Level;
use crate::control::alert::notice::Fingerprint;
use crate::control::api::alerts::{AcknowledgeRequest, SendRequest, SilenceRequest, UnsilenceRequest};
use crate::control::client::Client;

#[derive(Debug, Args)]
pub(super) struct AlertArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send an alert through the running capture's channels
    Send(SendArgs),
    /// Send a test through each configured channel, without a running capture; fails when a channel fails
    Test(TestArgs),
    /// List alerts and silences
    List(DaemonArgs),
    /// Say that somebody has seen an alert: it is not repeated until it gets worse or begins anew
    Ack(AckArgs),
    /// Keep alerts quiet for a while
    Silence(SilenceArgs),
    /// Alerts by level, rule and channel; what arrived, what failed, what was kept back and why
    Stats(DaemonArgs),
}

#[derive(Debug, Args)]
struct SendArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// info, warning or critical
    #[arg(long, value_name = "LEVEL", value_parser = Level::parse)]
    level: Level,
    /// One line for people
    #[arg(long, value_name = "TEXT")]
    message: String,
    /// More for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    details: String,
}

#[derive(Debug, Args)]
struct TestArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Only this channel; may be given more than once
    #[arg(long, value_name = "NAME")]
    channel: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AckArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// The alert's id, as `trim alert list` shows it
    #[arg(value_parser = Fingerprint::parse)]
    id: Fingerprint,
}

#[derive(Debug, Args)]
struct SilenceArgs {
    #[command(flatten)]
    daemon: DaemonArgs,
    /// Which alerts, such as `rule=link_lost,interface=eth*`
    #[arg(required_unless_present = "end")]
    matchers: Option<String>,
    /// For how long, such as 30m or 2h
    #[arg(long = "for", value_name = "TIME", value_parser = span, required_unless_present = "end")]
    span: Option<Duration>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// End the silence of this number instead
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["matchers", "span"])]
    end: Option<u64>,
}

fn span(text: &str) -> Result<Duration, String> {
    let span = Span::parse(text)?.0;
    if span.as_secs() == 0 {
        return Err("a silence lasts at least a second".to_owned());
    }
    Ok(span)
}

pub(super) fn run(args: &AlertArgs) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Send(args) => send(args),
        Command::Test(args) => test::run(args),
        Command::List(daemon) => list(daemon),
        Command::Ack(args) => acknowledge(args),
        Command::Silence(args) => silence(args),
        Command::Stats(daemon) => statistics(daemon),
    }
}

/// Who is at the keyboard: what the log says of it.
fn who() -> String {
    let named = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    named.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

fn answer(daemon: &DaemonArgs, answer: &impl serde::Serialize, text: &str) -> anyhow::Result<Exit> {
    if daemon.json {
        output::json(answer)?;
    } else {
        output::text(text)?;
    }
    Ok(Exit::Good)
}

fn send(args: &SendArgs) -> anyhow::Result<Exit> {
    let done = Client::new(&args.daemon.socket()).send_alert(&SendRequest {
        level: args.level,
        message: args.message.clone(),
        details: args.details.clone(),
        by: who(),
    })?;
    answer(&args.daemon, &done, &format!("{}\n", done.done))
}

fn list(daemon: &DaemonArgs) -> anyhow::Result<Exit> {
    let list = Client::new(&daemon.socket()).alerts()?;
    answer(daemon, &list, &show::list(&list))
}

fn statistics(daemon: &DaemonArgs) -> anyhow::Result<Exit> {
    let statistics = Client::new(&daemon.socket()).alert_statistics()?;
    answer(daemon, &statistics, &show::statistics(&statistics))
}

fn acknowledge(args: &AckArgs) -> anyhow::Result<Exit> {
    let request = AcknowledgeRequest { id: args.id, by: who() };
    let done = Client::new(&args.daemon.socket()).acknowledge_alert(&request)?;
    answer(&args.daemon, &done, &format!("{}\n", done.done))
}

fn silence(args: &SilenceArgs) -> anyhow::Result<Exit> {
    let client = Client::new(&args.daemon.socket());
    if let Some(id) = args.end {
        let done = client.end_silence(&UnsilenceRequest { id, by: who() })?;
        return answer(&args.daemon, &done, &format!("{}\n", done.done));
    }
    let silence = client.silence_alerts(&SilenceRequest {
        matchers: args.matchers.clone().unwrap_or_default(),
        seconds: args.span.unwrap_or_default().as_secs(),
        by: who(),
        comment: args.comment.clone(),
    })?;
    let text = format!(
        "silence {} on {} until {}\n",
        silence.id, silence.matchers, silence.until
    );
    answer(&args.daemon, &silence, &text)
}
