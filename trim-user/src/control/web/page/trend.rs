//! Measures the rates of the last minutes, whether somebody looks or not, so that a plot has a past.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};

use crate::control::appliance::Appliance;
use crate::control::rates::{Rates, Totals};

/// A thread that measures; it ends when this is dropped.
pub(super) struct Trend {
    rates: Arc<Mutex<Rates>>,
    _stop: Sender<()>,
}

impl Trend {
    /// Begins to measure, once in `interval`.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(appliance: Arc<Mutex<Appliance>>, interval: Duration) -> io::Result<Self> {
        let rates = Arc::new(Mutex::new(Rates::default()));
        let (stop, stopped) = bounded::<()>(0);
        let theirs = Arc::clone(&rates);
        let work = move || {
            let began = Instant::now();
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let totals = totals(&appliance);
                let mut rates = theirs.lock().unwrap_or_else(PoisonError::into_inner);
                match totals {
                    Some(totals) => rates.observe(began.elapsed(), totals),
                    None => rates.miss(),
                }
            }
        };
        std::thread::Builder::new().name("web-trend".to_owned()).spawn(work)?;
        Ok(Self { rates, _stop: stop })
    }

    /// What was measured so far.
    pub(super) fn rates(&self) -> Rates {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The running totals; the capture is locked only while the kernel's counters are read.
fn totals(appliance: &Mutex<Appliance>) -> Option<Totals> {
    let appliance = appliance.lock().unwrap_or_else(PoisonError::into_inner);
    let accounts = appliance.sight().ok()?.accounts;
    let shared = Arc::clone(appliance.shared());
    drop(appliance);
    let threads = shared.totals();
    Some(Totals {
        seen: accounts.seen,
        wire_bytes: threads.lanes.iter().map(|lane| lane.counts.bytes_in).sum(),
        file_bytes: threads.bytes_written,
        lost: accounts.lost.total(),
    })
}
