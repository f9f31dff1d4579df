//! Clients that keep the server busy while the demo runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::lab::{Client, Exchange, Link, Namespace, Nginx};

/// Clients that go through every small exchange again and again.
const BROWSERS: usize = 3;
/// What a person's clicks take; without it the demo would only show how many processes curl can start.
const PAUSE: Duration = Duration::from_millis(50);
/// Limit of the download, MB/s: it lasts several seconds, so that a switch meets it half-way.
const DOWNLOAD_RATE: u32 = 12;

/// Shared by the clients and the one who steers them.
#[derive(Default)]
pub(super) struct Traffic {
    stop: AtomicBool,
    exchanges: AtomicU64,
}

impl Traffic {
    /// Starts the clients on threads of `scope`; [`Traffic::stop`] ends them.
    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope thread::Scope<'scope, '_>,
        namespace: &'scope Namespace,
    ) -> Clients<'scope> {
        let browsers = (0..BROWSERS).map(|number| scope.spawn(move || self.browse(namespace, number)));
        let mut threads: Vec<_> = browsers.collect();
        threads.push(scope.spawn(move || self.download(namespace)));
        Clients(threads)
    }

    /// Lets every client finish what it is doing, and no more.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Exchanges carried out so far.
    pub(super) fn exchanges(&self) -> u64 {
        self.exchanges.load(Ordering::Relaxed)
    }

    fn browse(&self, namespace: &Namespace, number: usize) -> Result<()> {
        let link = Link::ALL[number % Link::ALL.len()];
        let port = Nginx::PORTS[number / Link::ALL.len() % Nginx::PORTS.len()];
        let client = Client::new(namespace, link, port)?;
        self.repeat(&client, &Exchange::SMALL)
    }

    fn download(&self, namespace: &Namespace) -> Result<()> {
        let client = Client::new(namespace, Link::Ipv4, Nginx::PORTS[0])?;
        self.repeat(
            &client,
            &[Exchange::Download {
                megabytes_per_second: DOWNLOAD_RATE,
            }],
        )
    }

    fn repeat(&self, client: &Client<'_>, exchanges: &[Exchange]) -> Result<()> {
        for exchange in exchanges.iter().cycle() {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            client.run(*exchange)?;
            self.exchanges.fetch_add(1, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}

/// The clients at work.
pub(super) struct Clients<'scope>(Vec<ScopedJoinHandle<'scope, Result<()>>>);

impl Clients<'_> {
    /// Whether one has ended early: there is no point in going on.
    pub(super) fn one_ended(&self) -> bool {
        self.0.iter().any(ScopedJoinHandle::is_finished)
    }

    /// Waits for all of them.
    pub(super) fn join(self) -> Result<()> {
        let results: Vec<_> = self.0.into_iter().map(ScopedJoinHandle::join).collect();
        for result in results {
            result.ok().context("a client of the demo panicked")??;
        }
        Ok(())
    }
}
