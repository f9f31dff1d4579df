//! `trim alert test`.

use std::time::Instant;

use anyhow::bail;
use serde::Serialize;

use super::super::{Exit, output};
use super::TestArgs;
use crate::config::Config;
use crate::control::alert::channel::ChannelSettings;
use crate::control::alert::engine::{News, State};
use crate::control::alert::message::{Item, Message};
use crate::control::alert::notice::Labels;
use crate::control::alert::{Level, Notice, Time, host_name};

/// What came of testing a channel.
#[derive(Debug, Serialize)]
struct Tested {
    channel: String,
    kind: &'static str,
    delivered: bool,
    milliseconds: u64,
    error: Option<String>,
}

pub(super) fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    let config = Config::load(&args.config)?;
    let channels = chosen(&config.alerts.channels, args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let host = host_name();
    let tested: Vec<Tested> = channels
        .into_iter()
        .map(|channel| runtime.block_on(test(channel, &host)))
        .collect();
    runtime.shutdown_background();
    if args.json {
        output::json(&tested)?;
    } else {
        output::text(&tested.iter().map(line).collect::<String>())?;
    }
    Ok(if tested.iter().all(|one| one.delivered) {
        Exit::Good
    } else {
        Exit::Environment
    })
}

fn chosen<'a>(channels: &'a [ChannelSettings], args: &TestArgs) -> anyhow::Result<Vec<&'a ChannelSettings>> {
    let known: Vec<&str> = channels.iter().map(|channel| channel.audience.name.as_str()).collect();
    if known.is_empty() {
        bail!(
            "{} has no channels: list them under `alerts.channels`",
            args.config.display()
        );
    }
    if let Some(unknown) = args.channel.iter().find(|name| !known.contains(&name.as_str())) {
        bail!(
            "there is no channel `{unknown}` in {}: one of {}",
            args.config.display(),
            known.join(", ")
        );
    }
    let is_chosen =
        |channel: &&ChannelSettings| args.channel.is_empty() || args.channel.contains(&channel.audience.name);
    Ok(channels.iter().filter(is_chosen).collect())
}

async fn test(channel: &ChannelSettings, host: &str) -> Tested {
    let name = &channel.audience.name;
    let notice = Notice::new(Level::Info, "operator", format!("this is a test of the channel {name}"))
        .label("test", "true")
        .details("sent by `trim alert test`; nothing is wrong");
    let now = Time::now();
    let item = Item {
        id: notice.fingerprint(),
        news: News::Fired,
        state: State::Firing,
        notice,
        since: now,
        ended: None,
        count: 1,
        is_event: true,
    };
    let message = Message {
        at: now,
        level: Level::Info,
        group: Labels::new(),
        items: vec![item],
    };
    let began = Instant::now();
    let error = channel.send(&message, host).await.err();
    Tested {
        channel: name.clone(),
        kind: channel.kind.name(),
        delivered: error.is_none(),
        milliseconds: began.elapsed().as_millis() as u64,
        error: error.map(|error| error.to_string()),
    }
}

fn line(tested: &Tested) -> String {
    let Tested {
        channel,
        kind,
        milliseconds,
        ..
    } = tested;
    match &tested.error {
        None => format!("{channel} ({kind}): delivered in {milliseconds} ms\n"),
        Some(error) => format!("{channel} ({kind}): FAILED after {milliseconds} ms: {error}\n"),
    }
}
