//! `trim report`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use super::{Exit, output};
use crate::config::Config;
use crate::control::client::Client;
use crate::control::health::Moment;
use crate::control::store::{Resolution, Sample, Store, StoreError, Which};
use crate::ops::report::{Material, Period, Report, markdown, page};
use crate::telemetry::logging::Redactor;

/// How long the daemon may take for what only it knows; without it the report says so.
const PATIENCE: Duration = Duration::from_secs(3);
/// Points of a plot: more are not told apart.
const POINTS: usize = 2000;
/// Most events and decisions.
const MOST: usize = 100_000;

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// How far back: daily (24 hours), weekly (7 days) or monthly (30 days)
    #[arg(long, value_name = "PERIOD", value_parser = Period::parse)]
    period: Period,
    /// Where it goes; its ending says in which form: .html, .json or .md. Without it, Markdown is printed
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The daemon's configuration, which says where its database and its socket are
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/trim/trim.yaml",
        env = "TRIM_CONFIG"
    )]
    config: PathBuf,
    /// The database, when it is not that of the configuration
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,
}

/// The form of a report.
#[derive(Clone, Copy)]
enum Form {
    Html,
    Json,
    Markdown,
}

pub(super) fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let form = args.output.as_deref().map_or(Ok(Form::Markdown), form)?;
    let material = material(args)?;
    let mut report = Report::of(&material);
    hide_secrets(&mut report, &args.config)?;
    let text = match form {
        Form::Html => page(&report, &material),
        Form::Json => serde_json::to_string_pretty(&report)? + "\n",
        Form::Markdown => markdown(&report),
    };
    match &args.output {
        None => output::text(&text)?,
        Some(path) => fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
    }
    Ok(Exit::Good)
}

/// What people gave as reasons may hold what a report must not.
fn hide_secrets(report: &mut Report, config: &Path) -> anyhow::Result<()> {
    // Without a configuration, what is always hidden stays hidden.
    let logging = Config::load(config).map(|config| config.logging).unwrap_or_default();
    let redactor = Redactor::new(&logging.redact, &logging.redact_fields)?;
    let reasons = report.decisions.iter_mut().flat_map(|decision| &mut decision.reasons);
    reasons.for_each(|reason| *reason = redactor.text(reason));
    Ok(())
}

fn form(path: &Path) -> anyhow::Result<Form> {
    Ok(match path.extension().and_then(|ending| ending.to_str()) {
        Some("html") => Form::Html,
        Some("json") => Form::Json,
        Some("md") => Form::Markdown,
        _ => bail!("{}: the name of a report ends with .html, .json or .md", path.display()),
    })
}

fn material(args: &ReportArgs) -> anyhow::Result<Material> {
    let (database, client) = match &args.database {
        Some(path) => (path.clone(), None),
        None => {
            let config = Config::load(&args.config)
                .context("the configuration says where the database is; `--database` names it without one")?;
            let client = Client::new(&config.control_socket).patience(PATIENCE);
            (config.database, Some(client))
        }
    };
    let store = Store::read(&database)?;
    let now = Moment(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0));
    let from = Moment(now.0.saturating_sub(args.period.length().as_millis() as u64));
    let mut decisions = store.decisions(Which::Notable(MOST))?;
    decisions.retain(|decision| decision.at >= from);
    Ok(Material {
        period: args.period,
        to: now,
        samples: samples(&store, from, now)?,
        decisions,
        events: store.events(from, now, MOST)?,
        status: client.as_ref().and_then(|client| client.status().ok()),
        alerts: client.as_ref().and_then(|client| client.alert_statistics().ok()),
    })
}

/// As finely as there is room for: a young appliance has measured for a part of the period only.
fn samples(store: &Store, from: Moment, now: Moment) -> Result<Vec<Sample>, StoreError> {
    let coarse = Resolution::choose(from, now, now, POINTS);
    let samples = store.samples(from, now, coarse)?;
    let Some(first) = samples.first().map(|sample| sample.at.max(from)) else {
        // The one sum there is goes on, and is not known to have ended.
        return store.samples(from, now, Resolution::Samples);
    };
    match Resolution::choose(first, now, now, POINTS) {
        fine if fine == coarse => Ok(samples),
        fine => store.samples(from, now, fine),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::control::health::{Evidence, Health};
    use crate::control::rollout::{Command, Input, Plan, Request, State, decide};
    use crate::control::store::Entry;

    /// What people may write where they are asked for a reason: one that is always hidden, and one that the configuration hides.
    const REASON: &str = "the proxy wants password=hunter2 of customer-4711";

    fn decided(now: Moment) -> Entry {
        let (plan, before) = (Arc::new(Plan::default()), State::default());
        let input = Input::Command(Command {
            request: Request::Start,
            who: "uid 0".to_owned(),
            reason: REASON.to_owned(),
        });
        let decision = decide(&plan, &before, &input, now);
        Entry {
            at: now,
            plan,
            before,
            input,
            decision,
        }
    }

    /// Makes a database with a measured interval and the decision.
    fn fill(database: &Path, at: Moment) {
        let mut store = Store::open(database).unwrap();
        let evidence = Evidence {
            at,
            seconds: 5.0,
            ..Evidence::default()
        };
        let health = Health::judge(&evidence, &Default::default(), &Default::default(), &Default::default());
        store.record_sample(&evidence, &health).unwrap();
        store.record_decision(&decided(at)).unwrap();
    }

    /// A report in this form, made with a configuration that hides numbers of customers, or without any.
    fn report(ending: &str, is_configured: bool) -> String {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let now = u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap();
        fill(&place("trim.db"), Moment(now - 1000));
        if is_configured {
            fs::write(place("trim.yaml"), "logging:\n  redact: ['customer-[0-9]+']\n").unwrap();
        }
        let output = place("report").with_extension(ending);
        let args = ReportArgs {
            period: Period::Daily,
            output: Some(output.clone()),
            config: place("trim.yaml"),
            database: Some(place("trim.db")),
        };
        run(&args).unwrap();
        fs::read_to_string(output).unwrap()
    }

    #[test]
    fn no_form_of_a_report_repeats_a_secret_that_somebody_gave_as_a_reason() {
        for ending in ["html", "json", "md"] {
            let text = report(ending, true);
            assert!(text.contains("the proxy wants"), "the reason is told: {text}");
            assert!(text.contains("[hidden]"), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("4711"), "{ending}: {text}");
        }
    }

    /// Everything of an appliance's first hour lay in one minute of the report, and its plots were a dot.
    #[test]
    fn a_young_appliance_is_shown_as_finely_as_it_was_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trim.db");
        let now = Moment(200 * 24 * 3_600_000);
        for ago in [25_000, 20_000, 15_000] {
            fill(&path, Moment(now.0 - ago));
        }
        let store = Store::read(&path).unwrap();
        let day = Moment(now.0 - 24 * 3_600_000);
        let month = Moment(now.0 - 30 * 24 * 3_600_000);
        for from in [day, month] {
            let times: Vec<_> = samples(&store, from, now)
                .unwrap()
                .iter()
                .map(|it| now.0 - it.at.0)
                .collect();
            assert_eq!(times, [25_000, 20_000, 15_000]);
        }
    }

    /// The sum of a minute that goes on ends with its latest sample, which may be later than the report's end.
    #[test]
    fn a_sample_that_comes_meanwhile_hides_none_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trim.db");
        let now = Moment(200 * 24 * 3_600_000 + 30_000);
        for at in [now.0 - 10_000, now.0 - 5_000, now.0 + 100] {
            fill(&path, Moment(at));
        }
        let found = samples(&Store::read(&path).unwrap(), Moment(now.0 - 24 * 3_600_000), now).unwrap();
        let times: Vec<_> = found.iter().map(|it| now.0 - it.at.0).collect();
        assert_eq!(times, [10_000, 5_000]);
    }

    #[test]
    fn without_a_configuration_what_is_always_secret_stays_hidden() {
        let text = report("md", false);
        assert!(!text.contains("hunter2") && text.contains("customer-4711"), "{text}");
    }
}
