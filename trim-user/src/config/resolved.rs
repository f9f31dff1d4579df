//! The configuration as the rest of the program sees it: complete and validated.

use std::path::PathBuf;
use std::time::Duration;

use trim_common::strategy::{Mode, Split};

pub use super::raw::{Bind, HugePages, Layout, OnLoss, Wait, XdpMode};
use crate::control::alert::AlertSettings;
use crate::control::rollout::Plan;
use crate::control::web::WebSettings;
use crate::data::exemplar::ExemplarSettings;
use crate::data::{Compression, Format};
use crate::telemetry::elasticsearch::ElasticsearchSettings;
pub use crate::telemetry::logging::{LogFormat, LogLevel, LogTo, Logging};
use crate::trimmer::{Policy, Settings};

/// Everything `trim run` needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where packets come from.
    pub capture: Capture,
    /// How flows are given to the strategies.
    pub strategy: Assignment,
    /// What is done with bytes of each kind.
    pub policy: Policy,
    /// Settings and bounds of the trimmers.
    pub trimmer: Settings,
    /// Bounds on frames that wait for their labels.
    pub hold: Hold,
    /// How many differences between the strategies are saved in mode `comparison`, and where.
    pub exemplars: ExemplarSettings,
    /// How stages are laid over threads and cores.
    pub pipeline: Pipeline,
    /// Where packets go.
    pub output: Output,
    /// The daemon's unix socket.
    pub control_socket: PathBuf,
    /// The group whose members may use it; `None` when only its owner may.
    pub control_group: Option<String>,
    /// Whether the configuration is read anew when one of its files changes.
    pub watch_config: bool,
    /// Who is told what, and by which way.
    pub alerts: AlertSettings,
    /// The file that keeps evidence, decisions and events.
    pub database: PathBuf,
    /// For so long at most a decision waits to be stored before it is acted upon.
    pub database_wait: Duration,
    /// How it is watched.
    pub watching: Watching,
    /// The plan of its rollout, durations already scaled.
    pub rollout: Plan,
    /// The TCP listener, if there is to be one.
    pub web: Option<WebSettings>,
    /// Where metrics and events go as documents, if anywhere.
    pub elasticsearch: Option<ElasticsearchSettings>,
    /// What is logged, and where to.
    pub logging: Logging,
    /// What the daemon takes from itself.
    pub security: super::Security,
}

/// How the appliance is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watching {
    /// Time between two samples.
    pub interval: Duration,
    /// Share of flows on `legacy` and on `scanning` that the other one judges too, 0 to 1.
    pub shadowed: f64,
    /// Resident memory that the process is to keep within, bytes; `None` when only machine and control groups limit it.
    pub memory_limit: Option<u64>,
    /// Whether `scanning` can be told to fail, for a rehearsal.
    pub allow_faults: bool,
}

/// Where packets come from.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Interface names, each once.
    pub interfaces: Vec<String>,
    /// How the XDP program is attached.
    pub xdp_mode: XdpMode,
    /// How AF_XDP sockets are bound.
    pub bind: Bind,
    /// Whether the interface takes frames addressed to others; a SPAN port needs it.
    pub promiscuous: bool,
    /// Bytes of a frame in the UMEM: 2048 or 4096.
    pub frame_size: u32,
    /// Frames of each RX queue; a power of two.
    pub frames_per_queue: u32,
    /// Entries of each RX ring; a power of two.
    pub ring_size: u32,
    /// Whether frame memory uses 2 MiB pages.
    pub huge_pages: HugePages,
    /// How a receiving thread waits.
    pub wait: Wait,
    /// For how long the driver is polled by a thread that waits; zero for not at all. Whole microseconds count.
    pub busy_poll: Duration,
    /// What becomes of packets when no user space takes them.
    pub on_user_space_loss: OnLoss,
    /// After this long without renewal the kernel falls back to `legacy`.
    pub lease: Duration,
    /// Whether the XDP program and its maps are pinned, so that they stay in force when the daemon is killed.
    pub pin: bool,
    /// Whether the XDP program cuts off bodies that trimmers know in advance. It does so only where removed bytes are cut
    /// ([`Action::Cut`](crate::trimmer::Action::Cut)): masking needs them for the checksum.
    pub body_cut: bool,
}

/// How flows are given to the strategies.
#[derive(Clone, Copy, Debug)]
pub struct Assignment {
    /// The mode at start.
    pub mode: Mode,
    /// The share of flows on `scanning` in mode `ab_test`.
    pub split: Split,
    /// Seed of the flow hash; `None` draws one at start.
    pub seed: Option<u64>,
}

/// Bounds on frames that wait for their labels.
#[derive(Clone, Copy, Debug)]
pub struct Hold {
    /// Most memory per worker, bytes.
    pub bytes: usize,
    /// Longest wait.
    pub time: Duration,
    /// Longest wait while the capture itself loses packets.
    pub time_overloaded: Duration,
}

/// How stages are laid over threads and cores.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// Inline, or threads.
    pub layout: Layout,
    /// Cores of the receiving threads; empty means chosen by the program.
    pub receive_cores: Vec<usize>,
    /// Cores of the legacy workers; empty means chosen by the program.
    pub legacy_cores: Vec<usize>,
    /// Cores of the scanning workers; empty means chosen by the program.
    pub scanning_cores: Vec<usize>,
    /// Core of the writer; `None` means chosen by the program.
    pub writer_core: Option<usize>,
    /// Frames that move together.
    pub batch: usize,
    /// Batches that may wait in front of a worker; more are dropped and counted.
    pub queue_batches: usize,
}

/// Where packets go.
#[derive(Clone, Debug)]
pub struct Output {
    /// Folder of the output files.
    pub directory: PathBuf,
    /// First part of their names.
    pub prefix: String,
    /// Their format.
    pub format: Format,
    /// Their compression.
    pub compression: Compression,
    /// A new file after this many bytes.
    pub rotate_bytes: Option<u64>,
    /// A new file after this long.
    pub rotate_time: Option<Duration>,
    /// A new file after this many packets.
    pub rotate_packets: Option<u64>,
    /// Most bytes of finished files; the oldest are deleted.
    pub quota: Option<u64>,
    /// Whether a finished file is forced to the disk before it gets its name.
    pub sync: bool,
}
