//! The main thread while a capture runs: lease, events, requests, signals; then the end.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use trim_common::strategy::Mode;

use super::announce::{Alerts, Conditions};
use super::assemble::Capture;
use super::watch::ConfigWatch;
use crate::config::{Config, Layers, Loaded};
use crate::control::alert::known::Watch;
use crate::control::alert::{AlertCenter, AlertDesk, host_name};
use crate::control::api::{ApiSocket, Service};
use crate::control::appliance::Appliance;
use crate::control::collect::Collector;
use crate::control::configuration::{self, Configuration, InForce, Levers, Order};
use crate::control::operator::{self, Forecaster, Operator};
use crate::control::status::Summary;
use crate::control::store::{self, Keeper};
use crate::control::supervisor::Supervisor;
use crate::control::web::{self, WebError, WebListener, WebServer};
use crate::data::live::{LiveCapture, Outcome};
use crate::kernel::events::Events;
use crate::kernel::program::Program;

/// How often the lease is renewed, within its length.
const RENEWALS_PER_LEASE: u32 = 4;
/// Longest pause between two looks at links, events and limits.
const LONGEST_TICK: Duration = Duration::from_millis(250);

/// Time between two looks at what alerts are about.
const WATCHING: Duration = Duration::from_secs(1);

/// How long the answer to a stop request may take to leave.
const ANSWERED: Duration = Duration::from_millis(50);

/// When to stop without being told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) duration: Option<Duration>,
    pub(super) packets: Option<u64>,
}

/// What it is configured by.
pub(super) struct Configured {
    /// Where the configuration comes from.
    pub(super) layers: Layers,
    /// What it was when it was read.
    pub(super) loaded: Loaded,
}

/// Where it is asked.
pub(super) struct Doors {
    /// By commands on this machine.
    pub(super) socket: ApiSocket,
    /// By browsers, Prometheus and probes.
    pub(super) web: Option<WebListener>,
}

/// Keeps a capture going until it is to end, and ends it.
pub(super) fn serve(capture: Capture, configured: Configured, limits: Limits, doors: Doors) -> anyhow::Result<Summary> {
    let config = &configured.loaded.config.clone();
    let Capture {
        appliance,
        live,
        mut programs,
        events,
        inherited,
        _promiscuous,
    } = capture;
    let appliance = Arc::new(Mutex::new(appliance));
    let alerts = alert_desk(config)?;
    let conditions = Conditions::default();
    let announcer = Alerts::new(Arc::clone(&alerts), conditions.clone());
    let in_force = InForce::new(configured.loaded);
    let operator = operate(&appliance, &live, in_force.clone(), announcer, inherited)?;
    let configuration = Arc::new(activate(configured.layers, in_force, &alerts, &operator));
    let (stop, stopped) = watch::channel(false);
    let service = Service {
        appliance: Arc::clone(&appliance),
        alerts: Arc::clone(&alerts),
        operator: operator.desk(),
        configuration: Arc::clone(&configuration),
        log: operator.log(),
        allow_faults: config.watching.allow_faults,
        elasticsearch: config.elasticsearch.as_ref().map(|_| Arc::default()),
        stop,
    };
    let web = answer(doors.web, &service, config)?;
    let shipper = super::ship::ship(config, &service)?;
    let supervisor = Supervisor::start(live.shared())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let mut socket = doors.socket;
        supervisor.ready();
        let watchman = Watchman {
            appliance: &appliance,
            live: &live,
            alerts: &alerts,
            watch: Watch::default(),
            conditions,
            watched: None,
            supervisor: &supervisor,
            files: ConfigWatch::start(configuration.layers(), config.watch_config),
            configuration,
            events,
            limits,
            started: Instant::now(),
        };
        tokio::select! {
            served = socket.serve(service) => served?,
            watched = watchman.run(config.capture.lease, stopped) => watched?,
        }
        // The socket stays until the capture has ended: its going tells `trim stop` that everything is written.
        anyhow::Ok(socket)
    });
    supervisor.stopping();
    // It must not switch anything any more, nor judge a capture that ends.
    drop(operator);
    let summary = end(&appliance, live, &mut programs)?;
    drop((web, programs, shipper));
    // Last, so that a slow mail server holds up no packet.
    alerts.lock().end();
    served?;
    Ok(summary)
}

/// What makes another configuration the one in force while the capture runs.
fn activate(layers: Layers, in_force: InForce, alerts: &Arc<AlertDesk>, operator: &Operator) -> Configuration {
    Configuration::new(configuration::Parts {
        layers,
        in_force,
        levers: Levers {
            alerts: Arc::clone(alerts),
            operator: operator.desk(),
        },
        log: operator.log(),
        alerts: Arc::clone(alerts),
    })
}

/// Opens the alerts, and lets their messages leave.
fn alert_desk(config: &Config) -> io::Result<Arc<AlertDesk>> {
    let center = AlertCenter::open(config.alerts.clone(), &host_name())?;
    Ok(Arc::new(AlertDesk::new(center)))
}

/// Starts what answers over TCP, if that is wanted, on a thread of its own: this one renews the lease.
fn answer(listener: Option<WebListener>, service: &Service, config: &Config) -> Result<Option<WebServer>, WebError> {
    let Some(listener) = listener else {
        return Ok(None);
    };
    let (lease, database) = (config.capture.lease, config.database.clone());
    let (open, guarded) = web::routes(service.clone(), listener.guard(), lease, database)?;
    listener.start(open, guarded).map(Some)
}

/// Starts what watches, decides and acts.
fn operate(
    appliance: &Arc<Mutex<Appliance>>,
    live: &LiveCapture,
    in_force: InForce,
    announcer: Alerts,
    inherited: Option<Mode>,
) -> anyhow::Result<Operator> {
    let config = in_force.loaded().config;
    let settings = store::Settings::new(config.database.clone(), config.database_wait);
    let (keeper, kept) = Keeper::start(settings)?;
    let parts = operator::Parts {
        appliance: Arc::clone(appliance),
        collector: Collector::new(
            Arc::clone(live.shared()),
            config.output.directory.clone(),
            config.watching.memory_limit,
        ),
        plan: config.rollout.clone(),
        watching: config.watching,
        forecaster: Forecaster::start(config.database.clone(), super::growth::growth(&config))?,
        keeper,
        standing: kept.standing,
        inherited,
        announcer: Box::new(announcer),
        archive: super::archive::archiver(in_force),
    };
    Ok(Operator::start(parts)?)
}

fn lock(appliance: &Mutex<Appliance>) -> MutexGuard<'_, Appliance> {
    appliance.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Watchman<'a> {
    appliance: &'a Mutex<Appliance>,
    live: &'a LiveCapture,
    alerts: &'a AlertDesk,
    watch: Watch,
    conditions: Conditions,
    watched: Option<Instant>,
    supervisor: &'a Supervisor,
    configuration: Arc<Configuration>,
    files: ConfigWatch,
    events: Vec<Events>,
    limits: Limits,
    started: Instant,
}

impl Watchman<'_> {
    /// Returns when the capture is to end.
    async fn run(mut self, lease: Duration, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
        let mut tick = tokio::time::interval((lease / RENEWALS_PER_LEASE).min(LONGEST_TICK));
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        loop {
            tokio::select! {
                _ = tick.tick() => if self.look() { return Ok(()) },
                _ = interrupt.recv() => return self.leave("SIGINT"),
                _ = terminate.recv() => return self.leave("SIGTERM"),
                _ = hangup.recv() => {
                    self.live.shared().request_rotation();
                    self.reload("SIGHUP");
                }
                () = self.files.changed() => self.reload("file watch"),
                _ = stopped.changed() => {
                    // The answer to the request has to leave first.
                    tokio::time::sleep(ANSWERED).await;
                    return self.leave("a request");
                }
            }
        }
    }

    /// Reads the configuration anew, on another thread: this one renews the lease.
    fn reload(&self, who: &str) {
        self.supervisor.reloading();
        let (configuration, supervisor) = (Arc::clone(&self.configuration), self.supervisor.clone());
        let order = Order {
            who: who.to_owned(),
            why: String::new(),
            apply_what_can: false,
        };
        tokio::task::spawn_blocking(move || {
            // What is wrong is in the log, the event log and the alerts.
            let _ = configuration.reload(&order);
            supervisor.ready();
        });
    }

    fn leave(&self, why: &str) -> io::Result<()> {
        tracing::info!(why, "stopping");
        Ok(())
    }

    /// Does what is due; true when the capture is to end.
    fn look(&mut self) -> bool {
        self.supervisor.beat();
        let mut appliance = lock(self.appliance);
        if let Err(error) = appliance.renew_lease() {
            tracing::error!(%error, "the kernel takes no renewal of the lease: it will fall back to legacy");
        }
        if let Err(error) = appliance.publish_interfaces() {
            tracing::error!(%error, "cannot read the kernel's counters");
        }
        appliance.watch_links();
        drop(appliance);
        for event in self.events.iter_mut().flat_map(Events::drain) {
            event.log();
        }
        self.alert();
        let shared = self.live.shared();
        let is_over_time = self
            .limits
            .duration
            .is_some_and(|limit| self.started.elapsed() >= limit);
        let is_over_count = self
            .limits
            .packets
            .is_some_and(|limit| shared.totals().received >= limit);
        is_over_time || is_over_count || self.live.has_failed()
    }

    /// Tells the alerts what holds now.
    fn alert(&mut self) {
        let (now, mut alerts) = (self.alerts.now(), self.alerts.lock());
        if self.live.has_failed() {
            let notice = alerts
                .rules()
                .notice("thread_ended", "a thread of the data path has ended: the capture ends");
            alerts.event(now, notice);
        }
        if self.watched.is_some_and(|watched| watched.elapsed() < WATCHING) {
            return;
        }
        self.watched = Some(Instant::now());
        match lock(self.appliance).sight() {
            Ok(sight) => {
                let mut notices = self.watch.look(now, &sight, alerts.rules());
                notices.extend(self.conditions.get());
                alerts.observe(now, &notices);
            }
            Err(error) => tracing::error!(%error, "cannot look for alerts"),
        }
    }
}

/// Takes the program off first, so that nothing more comes; then everything on its way is written.
fn end(appliance: &Mutex<Appliance>, live: LiveCapture, programs: &mut [Program]) -> anyhow::Result<Summary> {
    programs.iter_mut().for_each(Program::detach);
    lock(appliance).publish_interfaces()?;
    live.shared().request_stop();
    let outcome = live.join();
    let mut appliance = lock(appliance);
    let mut status = appliance.status_with(&outcome.latency)?;
    status.switch = appliance.slowest_switch();
    let first = status.interfaces.first().cloned().unwrap_or_default();
    Ok(Summary {
        xdp_mode: first.xdp_mode,
        xsk_mode: first.xsk_mode,
        output: outcome
            .summary
            .last_file
            .as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default(),
        frames_leaked: leaked(&outcome),
        errors: outcome.errors.iter().map(ToString::to_string).collect(),
        status,
    })
}

fn leaked(outcome: &Outcome) -> u64 {
    outcome
        .audits
        .iter()
        .map(|audit| audit.handed_out + audit.rejected)
        .sum()
}
