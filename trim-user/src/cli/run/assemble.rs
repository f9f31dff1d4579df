//! Puts a live capture together: XDP program, sockets, sink, threads.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::Sender;
use trim_common::maps::{PolicyWord, Setup};
use trim_common::strategy::{Mode, Strategy};

use crate::config::{self, Bind, Config, OnLoss, XdpMode};
use crate::control::appliance::{Appliance, InterfaceWatch};
use crate::control::status::InterfaceStatus;
use crate::control::switch::{Levers, Switch, mode_left_in};
use crate::data::Interface;
use crate::data::live::{CutterParts, LiveCapture, Parts, Plan};
use crate::data::sink::{OutputFormat, RotatingSink, RotationOptions, Sink};
use crate::kernel::events::Events;
use crate::kernel::maps::{CutsMap, Maps};
use crate::kernel::nic::{self, LinkMonitor, LinkState, Promiscuous};
use crate::kernel::pins;
use crate::kernel::program::{AttachMode, LoadOptions, Program};
use crate::kernel::xsk::{BindMode, BusyPoll, HugePages, Options, Queue, Settings};
use crate::kernel::{affinity, clock};
use crate::packet::LinkType;
use crate::trimmer::{Action, NonHttp, Ports};

/// A capture that runs.
pub(super) struct Capture {
    pub(super) appliance: Appliance,
    pub(super) live: LiveCapture,
    /// Dropping them takes the programs off their interfaces.
    pub(super) programs: Vec<Program>,
    pub(super) events: Vec<Events>,
    /// The mode that a capture which was killed left in the kernel.
    pub(super) inherited: Option<Mode>,
    /// Interfaces stay promiscuous as long as these live.
    pub(super) _promiscuous: Vec<Promiscuous>,
}

/// What comes of opening one interface.
struct Opened {
    program: Program,
    events: Events,
    promiscuous: Option<Promiscuous>,
    queues: Vec<Queue>,
    watch: InterfaceWatch,
    levers: Levers,
    cuts: CutsMap,
}

/// What comes of opening all interfaces.
struct Openings {
    inherited: Option<Mode>,
    seed: u64,
    word: PolicyWord,
    opened: Vec<Opened>,
}

impl Openings {
    fn into_parts(self) -> (Option<Mode>, u64, PolicyWord, Vec<Opened>) {
        (self.inherited, self.seed, self.word, self.opened)
    }

    fn all(config: &Config) -> anyhow::Result<Self> {
        // Before the maps of a predecessor are replaced.
        let names = config.capture.interfaces.iter();
        let inherited = names.filter_map(|name| mode_left_in(&pins::directory_of(name))).next();
        let seed = config
            .strategy
            .seed
            .unwrap_or_else(|| RandomState::new().hash_one(clock::monotonic()));
        let word = PolicyWord::new(config.strategy.mode, config.strategy.split, 0);
        let names = config.capture.interfaces.iter();
        let opened = names
            .map(|name| open(config, name, seed, word))
            .collect::<anyhow::Result<Vec<_>>>()?;
        Ok(Self {
            inherited,
            seed,
            word,
            opened,
        })
    }
}

/// The thread that opens the interfaces. Capabilities belong to threads: this one is started with all that the process
/// has, and is gone with them before the first packet.
pub(super) struct Opener {
    go: Sender<()>,
    thread: JoinHandle<anyhow::Result<Openings>>,
}

impl Opener {
    /// Starts the thread, which waits.
    pub(super) fn start(config: &Config) -> io::Result<Self> {
        let (go, started) = crossbeam_channel::bounded(1);
        let config = config.clone();
        let thread = Builder::new().name("open".to_owned()).spawn(move || {
            started.recv().context("nobody wants the interfaces any more")?;
            Openings::all(&config)
        })?;
        Ok(Self { go, thread })
    }

    /// Opens the interfaces.
    fn open(self) -> anyhow::Result<Openings> {
        self.go.send(()).context("the thread that opens interfaces is gone")?;
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Capture {
    /// Opens everything and starts the threads. On error everything opened is closed again.
    pub(super) fn start(config: &Config, opener: Opener) -> anyhow::Result<Self> {
        let (inherited, seed, word, mut opened) = opener.open()?.into_parts();
        // Now that nothing else can fail: a capture that does not start leaves no file.
        let mut sink = sink(&config.output)?;
        let mut queues = Vec::new();
        for interface in &mut opened {
            let number = sink.interface(&describe(&interface.watch.status))?;
            queues.extend(interface.queues.drain(..).map(|queue| (queue, number)));
        }
        let plan = Plan::new(&config.pipeline, &affinity::allowed_cpus(), queues.len());
        let parts = Parts {
            queues,
            plan,
            settings: config.trimmer.clone(),
            shadowed: config.watching.shadowed,
            is_rehearsal: config.watching.allow_faults,
            policy: config.policy,
            hold: config.hold,
            exemplars: config.exemplars.clone(),
            cutter: CutterParts {
                maps: if cuts_bodies(config) {
                    opened.iter().map(|interface| interface.cuts.clone()).collect()
                } else {
                    Vec::new()
                },
                seed,
            },
            wait: config.capture.wait,
            sink: Box::new(sink),
        };
        let live = LiveCapture::start(parts)?;
        Ok(Self::put_together(config, live, opened, word, inherited))
    }

    fn put_together(
        config: &Config,
        live: LiveCapture,
        opened: Vec<Opened>,
        word: PolicyWord,
        inherited: Option<Mode>,
    ) -> Self {
        let (mut programs, mut events, mut promiscuous) = (Vec::new(), Vec::new(), Vec::new());
        let (mut watches, mut levers) = (Vec::new(), Vec::new());
        for interface in opened {
            programs.push(interface.program);
            events.push(interface.events);
            promiscuous.extend(interface.promiscuous);
            watches.push(interface.watch);
            levers.push(interface.levers);
        }
        let shared = live.shared().clone();
        let switch = Switch::new(levers, shared.clone(), word);
        let directory = config.output.directory.display().to_string();
        let appliance = Appliance::new(switch, shared, watches, directory, config.trimmer.max_flows as u64);
        Self {
            appliance,
            live,
            programs,
            events,
            inherited,
            _promiscuous: promiscuous,
        }
    }
}

/// Loads the program, opens every queue and steers to it.
fn open(config: &Config, name: &str, seed: u64, word: PolicyWord) -> anyhow::Result<Opened> {
    let capture = &config.capture;
    let nic = nic::Interface::query(name)?;
    if nic.offloads.is_some_and(|offloads| offloads.rx_vlan) {
        tracing::warn!(
            interface = name,
            "rx-vlan-offload hides VLAN tags from XDP; `ethtool -K {name} rxvlan off` shows them"
        );
    }
    let options = queue_options(capture).check(nic.link.mtu)?;
    let load = LoadOptions {
        pin_directory: pin_directory(capture, name),
        ..LoadOptions::default()
    };
    let (mut program, mut maps, events) = Program::load(name, &load)?;
    fill(&mut maps, config, seed, word, nic.queues)?;
    let promiscuous = if capture.promiscuous {
        Some(Promiscuous::set(nic.link.index)?)
    } else {
        None
    };
    let queues = open_queues(&nic, options, &mut maps)?;
    // Last, so that the first packet it sees finds its socket.
    let xdp_mode = program.attach(match capture.xdp_mode {
        XdpMode::Auto => AttachMode::Auto,
        XdpMode::Native => AttachMode::Native,
        XdpMode::Generic => AttachMode::Generic,
    })?;
    let link = LinkMonitor::open(nic.link.index)?;
    let status = InterfaceStatus {
        name: name.to_owned(),
        xdp_mode: xdp_mode.name().to_owned(),
        xsk_mode: queues.first().map_or("", |queue| queue.mode().name()).to_owned(),
        queues: nic.queues,
        link: LinkState::of(&nic.link).name().to_owned(),
        is_pinned: program.is_pinned(),
    };
    tracing::info!(
        interface = name,
        xdp = status.xdp_mode,
        af_xdp = status.xsk_mode,
        queues = status.queues,
        pinned = status.is_pinned,
        "capturing"
    );
    let sockets = queues.iter().map(Queue::statistics_reader).collect::<Result<_, _>>()?;
    let watch = InterfaceWatch {
        status,
        counters: maps.counters,
        sockets,
        link,
    };
    let levers = Levers {
        policy: maps.policy,
        lease: maps.lease,
    };
    Ok(Opened {
        program,
        events,
        promiscuous,
        queues,
        watch,
        levers,
        cuts: maps.cuts,
    })
}

/// Whether the XDP program cuts bodies off. Masking needs every byte, for the checksum.
fn cuts_bodies(config: &Config) -> bool {
    config.capture.body_cut && config.policy.action == Action::Cut
}

/// Opens every RX queue and steers to its sockets.
fn open_queues(nic: &nic::Interface, settings: Settings, maps: &mut Maps) -> anyhow::Result<Vec<Queue>> {
    let mut queues = Vec::new();
    for index in 0..nic.queues {
        let queue = Queue::open(nic.link.index, index, settings)?;
        for strategy in Strategy::ALL {
            maps.sockets.set(index, strategy, &queue.socket(strategy))?;
        }
        queues.push(queue);
    }
    Ok(queues)
}

/// Where the program is pinned; `None`, with a warning, when it is to be pinned and cannot.
fn pin_directory(capture: &config::Capture, interface: &str) -> Option<PathBuf> {
    if !capture.pin {
        return None;
    }
    match pins::mount_bpf_file_system() {
        Ok(_) => Some(pins::directory_of(interface)),
        Err(error) => {
            tracing::warn!(%error, "the XDP program is not pinned: it ends with this process, however that ends");
            None
        }
    }
}

/// Tells the program everything before it sees its first packet.
fn fill(maps: &mut Maps, config: &Config, seed: u64, word: PolicyWord, queues: u32) -> anyhow::Result<()> {
    let (ports, detect) = match &config.trimmer.ports {
        Ports::Any => (BTreeSet::new(), true),
        Ports::Only(ports) => (ports.iter().copied().collect(), false),
    };
    maps.ports.set(&ports)?;
    maps.setup.set(Setup {
        seed,
        lease_ns: config.capture.lease.as_nanos() as u64,
        queues,
        omit_not_http: u8::from(config.policy.non_http == NonHttp::Drop),
        drop_without_socket: u8::from(config.capture.on_user_space_loss == OnLoss::Drop),
        detect: u8::from(detect),
        cut: u8::from(cuts_bodies(config)),
    })?;
    maps.policy.switch(word)?;
    maps.lease.renew(clock::monotonic())?;
    Ok(())
}

fn queue_options(capture: &config::Capture) -> Options {
    Options {
        frame_size: capture.frame_size,
        frame_count: capture.frames_per_queue,
        fill_ring: capture.ring_size,
        rx_ring: capture.ring_size,
        huge_pages: match capture.huge_pages {
            config::HugePages::Auto => HugePages::Auto,
            config::HugePages::Always => HugePages::Always,
            config::HugePages::Never => HugePages::Never,
        },
        bind: match capture.bind {
            Bind::Auto => BindMode::Auto,
            Bind::ZeroCopy => BindMode::ZeroCopy,
            Bind::Copy => BindMode::Copy,
        },
        busy_poll: busy_poll(capture.busy_poll),
        ..Options::default()
    }
}

fn busy_poll(time: Duration) -> Option<BusyPoll> {
    let microseconds = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    (microseconds > 0).then_some(BusyPoll {
        microseconds,
        budget: BusyPoll::BUDGET,
    })
}

fn sink(output: &config::Output) -> anyhow::Result<RotatingSink> {
    let sink = RotatingSink::create(RotationOptions {
        directory: output.directory.clone(),
        prefix: output.prefix.clone(),
        format: OutputFormat {
            format: output.format,
            compression: output.compression,
        },
        max_bytes: output.rotate_bytes,
        max_age: output.rotate_time,
        max_packets: output.rotate_packets,
        quota: output.quota,
        sync: output.sync,
    })?;
    for file in sink.recovered() {
        tracing::warn!(file = %file.display(), "an unfinished file of a capture that was killed was kept under this name");
    }
    Ok(sink)
}

/// The interface as output files describe it.
fn describe(status: &InterfaceStatus) -> Interface {
    Interface {
        name: Some(status.name.as_str().into()),
        description: Some(format!("XDP {}, AF_XDP {}", status.xdp_mode, status.xsk_mode).into()),
        ..Interface::new(LinkType::ETHERNET)
    }
}
