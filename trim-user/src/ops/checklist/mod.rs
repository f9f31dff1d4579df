//! What an operator looks at each day and each week: everything is asked and read, nothing is changed.
//!
//! Each area asks for its facts and judges them in a pure function, as the doctor does.

mod alerts;
mod backups;
mod capture;
mod configuration;
mod health;
mod rollout;
mod strategies;

use std::path::PathBuf;
use std::time::Duration;

use super::doctor;
use super::finding::{Grade, Report};
use crate::config::Config;
use crate::control::client::Client;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// How far back a checklist looks, and how deep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Loss, health, alerts, decisions of a day and the age of the latest backup; takes a moment.
    Daily,
    /// That of a week, and besides: files and running configuration compared, decisions made again, backups verified, the machine examined, strategies tested.
    Weekly,
}

impl Period {
    const fn length(self) -> Duration {
        match self {
            Self::Daily => DAY,
            Self::Weekly => Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Places {
    /// The socket of the running capture.
    pub socket: PathBuf,
    /// The folder of backups.
    pub backups: PathBuf,
    /// What the capture is configured to do.
    pub config: Config,
}

/// Goes through the list. What cannot be asked or read is itself a finding.
pub fn examine(period: Period, places: &Places) -> Report {
    let mut report = Report::default();
    let client = Client::new(&places.socket);
    capture::examine(&client, &mut report);
    health::examine(&client, period, &mut report);
    alerts::examine(&client, &mut report);
    rollout::examine(&places.config.database, period, &mut report);
    backups::examine(&places.backups, period, &mut report);
    if period == Period::Weekly {
        configuration::examine(&client, &mut report);
        strategies::examine(&mut report);
        let machine = doctor::examine(&places.config);
        let is_wrong = |grade: Grade| grade >= Grade::Warning;
        report.take(machine.findings.into_iter().filter(|it| is_wrong(it.grade)));
    }
    report.group();
    report
}
