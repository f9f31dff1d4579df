//! Reads decisions and events from the database, beside the thread that writes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::model::Past;
use crate::control::health::Moment;
use crate::control::store::{Recorded, Store, StoreError, Which};

/// Decisions in the overview.
const DECISIONS: usize = 12;
/// Events in the overview.
const EVENTS: usize = 20;
/// What was read so lately is not read again.
const FRESH: Duration = Duration::from_secs(1);

/// The database, as pages read it.
pub(super) struct Archive {
    path: PathBuf,
    last: Mutex<Option<(Instant, Arc<Past>)>>,
}

impl Archive {
    /// The database of this path; it is opened for each reading, so that one that was moved or made anew is found.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            last: Mutex::new(None),
        }
    }

    /// The latest decisions that changed something, and the latest events.
    pub(super) async fn latest(&self, patience: Duration) -> Arc<Past> {
        let mut last = self.last.lock().await;
        if let Some((read, past)) = &*last
            && read.elapsed() < FRESH
        {
            return Arc::clone(past);
        }
        let past = Arc::new(self.read(patience, read_latest).await);
        *last = Some((Instant::now(), Arc::clone(&past)));
        past
    }

    /// Some decisions.
    pub(super) async fn decisions(&self, which: Which, patience: Duration) -> Result<Vec<Recorded>, String> {
        self.read(patience, move |path| Store::read(path)?.decisions(which))
            .await
    }

    async fn read<T: Send + 'static>(
        &self,
        patience: Duration,
        read: impl FnOnce(&Path) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let path = self.path.clone();
        let reading = tokio::task::spawn_blocking(move || read(&path));
        match timeout(patience, reading).await {
            Ok(Ok(read)) => read.map_err(|error| error.to_string()),
            Ok(Err(_)) => Err("the capture is ending".to_owned()),
            Err(_) => Err(format!("it does not answer within {} s", patience.as_secs())),
        }
    }
}

fn read_latest(path: &Path) -> Result<(Vec<Recorded>, Vec<crate::control::store::LoggedEvent>), StoreError> {
    let store = Store::read(path)?;
    let decisions = store.decisions(Which::Notable(DECISIONS))?;
    let events = store.events(Moment(0), Moment(u64::MAX), EVENTS)?;
    Ok((decisions, events))
}
