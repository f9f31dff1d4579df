//! Asks the daemon, on a thread of its own: a daemon that hangs does not freeze the screen.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::control::alert::notice::Fingerprint;
use crate::control::alert::view::AlertList;
use crate::control::api::alerts::AcknowledgeRequest;
use crate::control::api::rollout::RolloutRequest;
use crate::control::client::{Client, ClientError};
use crate::control::operator::View;
use crate::control::rollout::Request;
use crate::control::status::Status;

/// Time between two readings.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long the daemon may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Everything that is shown.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// When, since the program began.
    pub(super) at: Duration,
    pub(super) status: Status,
    pub(super) view: View,
    pub(super) alerts: AlertList,
}

/// What the thread tells.
#[derive(Debug)]
pub(super) enum News {
    /// What the daemon says of itself.
    Reading(Box<Reading>),
    /// It says nothing, and why.
    Lost(String),
    /// What became of a request.
    Answer(String),
}

/// What a person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Something of the rollout, and why.
    Rollout(Request, String),
    /// That an alert was seen.
    Acknowledge(Fingerprint),
}

/// The thread; it ends after this is dropped.
pub(super) struct Poller {
    news: Receiver<News>,
    asked: Sender<Asked>,
}

impl Poller {
    /// Begins to ask the daemon behind a socket.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(socket: &Path) -> io::Result<Self> {
        let client = Client::new(socket).patience(PATIENCE);
        let (tell, news) = bounded(4);
        let (asked, requests) = bounded(1);
        std::thread::Builder::new()
            .name("poll".to_owned())
            .spawn(move || work(&client, &tell, &requests))?;
        Ok(Self { news, asked })
    }

    /// What there is to be learnt.
    pub(super) fn news(&self) -> impl Iterator<Item = News> {
        self.news.try_iter()
    }

    /// Hands a request on; false while another one waits.
    pub(super) fn ask(&self, asked: Asked) -> bool {
        self.asked.try_send(asked).is_ok()
    }
}

fn work(client: &Client, tell: &Sender<News>, requests: &Receiver<Asked>) {
    let began = Instant::now();
    loop {
        let news = match read(client) {
            Ok((status, view, alerts)) => News::Reading(Box::new(Reading {
                at: began.elapsed(),
                status,
                view,
                alerts,
            })),
            Err(error) => News::Lost(error.to_string()),
        };
        if tell.send(news).is_err() {
            return;
        }
        match requests.recv_timeout(INTERVAL) {
            Ok(asked) => {
                if tell.send(News::Answer(answer(client, asked))).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn read(client: &Client) -> Result<(Status, View, AlertList), ClientError> {
    Ok((client.status()?, client.health()?, client.alerts()?))
}

fn answer(client: &Client, asked: Asked) -> String {
    let done = match asked {
        Asked::Rollout(request, reason) => client
            .rollout(&RolloutRequest { request, reason })
            .map(|answer| answer.reasons.join("; ")),
        Asked::Acknowledge(id) => {
            let by = format!("uid {}, trim top", rustix::process::getuid().as_raw());
            client
                .acknowledge_alert(&AcknowledgeRequest { id, by })
                .map(|done| done.done)
        }
    };
    done.unwrap_or_else(|error| format!("not done: {error}"))
}
