//! Makes out what is to come, from what is stored, away from the loop that decides.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use super::lock;
use crate::control::health::{Moment, Outlook, Past, Subject};
use crate::control::store::{Measured, Resolution, Sample, Store, StoreError};
use crate::kernel::clock;

/// Time between two outlooks. A trend of hours does not change in minutes.
const INTERVAL: Duration = Duration::from_secs(300);

/// How many bytes captures may still grow before the oldest make room; `None` when nothing limits them.
pub type Growth = Box<dyn Fn() -> Option<u64> + Send>;

/// A thread that reads the database every few minutes and has the latest outlook at hand.
pub struct Forecaster {
    latest: Arc<Mutex<Outlook>>,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Forecaster {
    /// Starts it on a database that another thread writes.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(database: PathBuf, growth: Growth) -> std::io::Result<Self> {
        let latest = Arc::<Mutex<Outlook>>::default();
        let (stop, stopped) = bounded(1);
        let theirs = Arc::clone(&latest);
        let thread = thread::Builder::new().name("forecast".to_owned()).spawn(move || {
            loop {
                let now = Moment(clock::realtime() / 1_000_000);
                match outlook(&database, now, growth()) {
                    Ok(outlook) => *lock(&theirs) = outlook,
                    // The keeper tells people about a database that fails; an outlook grows old by itself.
                    Err(error) => tracing::debug!(%error, "no outlook"),
                }
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
        Ok(Self {
            latest,
            stop,
            thread: Some(thread),
        })
    }

    /// The latest outlook; an empty one before the first.
    pub fn latest(&self) -> Outlook {
        lock(&self.latest).clone()
    }
}

impl Drop for Forecaster {
    fn drop(&mut self) {
        // A full channel means that it was told already.
        let _ = self.stop.try_send(());
        if let Some(thread) = self.thread.take() {
            // A panic was printed where it happened.
            let _ = thread.join();
        }
    }
}

/// What is to come after `now`, by what a database knows.
///
/// # Errors
/// When the database cannot be read.
fn outlook(database: &Path, now: Moment, captures_may_grow: Option<u64>) -> Result<Outlook, StoreError> {
    let store = Store::read(database)?;
    let mut outlook = Outlook {
        at: now,
        forecasts: Vec::new(),
        captures_may_grow,
    };
    let mut pasts = Vec::new();
    for past in Past::ALL {
        let from = Moment(now.0.saturating_sub(past.length().as_millis() as u64));
        let resolution = match past {
            Past::Day => Resolution::Minutes,
            Past::Week | Past::Month => Resolution::Hours,
        };
        pasts.push((past, store.samples(from, now, resolution)?));
    }
    for subject in Subject::ALL {
        for (past, samples) in &pasts {
            let points: Vec<_> = samples
                .iter()
                .filter_map(|sample| Some((sample.at, value(subject, sample)?)))
                .collect();
            outlook.add(subject, *past, &points);
        }
    }
    Ok(outlook)
}

fn value(subject: Subject, sample: &Sample) -> Option<f64> {
    let of = |measured| sample.point(measured).map(|point| point.value);
    match subject {
        Subject::DiskShare => {
            let total = sample.evidence.resources.disk_total.filter(|&total| total > 0)?;
            Some(1.0 - of(Measured::DiskFree)? / total as f64)
        }
        Subject::MemoryShare => of(Measured::MemoryShare),
        Subject::ResidentBytes => of(Measured::ResidentBytes),
        Subject::LegacyErrorShare => of(Measured::LegacyErrorShare),
        Subject::ScanningErrorShare => of(Measured::ScanningErrorShare),
        Subject::LegacyCost => of(Measured::LegacyCost),
        Subject::ScanningCost => of(Measured::ScanningCost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::health::{Comparison, Evidence, Health, Resources, Thresholds, Verdict};

    const TOTAL: u64 = 1 << 40;

    fn evidence(at: Moment, used: f64, resident: f64) -> Evidence {
        Evidence {
            at,
            resources: Resources {
                disk_total: Some(TOTAL),
                disk_free: Some((TOTAL as f64 * (1.0 - used)) as u64),
                resident_bytes: Some(resident as u64),
                memory_limit: Some(1 << 30),
                ..Resources::default()
            },
            ..Evidence::default()
        }
    }

    /// Ten hours in which the disk fills by four percent and the process grows by 30 MB an hour.
    fn fill(database: &Path) -> Evidence {
        let mut store = Store::open(database).unwrap();
        let mut last = Evidence::default();
        for minute in 0..600_u64 {
            let hours = minute as f64 / 60.0;
            last = evidence(Moment(minute * 60_000), 0.4 + 0.04 * hours, 2e8 + 3e7 * hours);
            let health = judge(&last, &Outlook::default());
            store.record_sample(&last, &health).unwrap();
        }
        last
    }

    fn judge(evidence: &Evidence, outlook: &Outlook) -> Health {
        Health::judge(evidence, &Comparison::default(), outlook, &Thresholds::default())
    }

    #[test]
    fn a_disk_that_fills_and_memory_that_grows_are_told_before_they_are_full() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("trim.db");
        let last = fill(&database);
        let outlook = outlook(&database, last.at, None).unwrap();
        let forecast = outlook.forecasts[0];
        assert_eq!((forecast.subject, forecast.past), (Subject::DiskShare, Past::Day));
        let hours = forecast.trend.hours_to(1.0).unwrap();
        assert!((hours - 5.0).abs() < 0.2, "{forecast:?}");
        let health = judge(&last, &outlook);
        let reasons: Vec<_> = health.reasons().collect();
        assert!(
            reasons.iter().any(|it| it.contains("disk_share_in_24_hours is 1.7")),
            "{reasons:?}"
        );
        let told = reasons
            .iter()
            .find(|it| it.contains("process_memory_share_in_24_hours"));
        assert!(told.unwrap().contains("above its warning limit of 0.95"), "{reasons:?}");
        assert_eq!(health.verdict, Verdict::Fail);
    }

    #[test]
    fn captures_that_a_quota_holds_back_fill_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("trim.db");
        let last = fill(&database);
        let outlook = outlook(&database, last.at, Some(TOTAL / 20)).unwrap();
        let health = judge(&last, &outlook);
        let measures = health.dimensions.iter().flat_map(|it| &it.measures);
        let measure = measures.clone().find(|it| it.name == "disk_share_in_24_hours").unwrap();
        assert_eq!(measure.score().map(|score| score > 0.5), Some(true), "{measure:?}");
    }

    #[test]
    fn without_a_database_there_is_no_outlook() {
        let folder = tempfile::tempdir().unwrap();
        assert!(outlook(&folder.path().join("none"), Moment(1), None).is_err());
    }
}
