//! The configuration file as it is written: every key optional, unknown keys refused, places remembered.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::alerts::raw::Alerts;
use super::place::{Key, Spanned};
use super::units::{Size, Span};
use crate::data::{Compression, Format};
use crate::trimmer::{Action, NonHttp, Retention};

/// What a list holds when it is not given.
pub(super) const NONE: [&str; 0] = [];

/// The whole file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    /// Where packets come from.
    pub(super) capture: Capture,
    /// What is looked at.
    pub(super) http: Http,
    /// Who trims.
    pub(super) strategy: StrategySection,
    /// How it is trimmed, and bounds of the trimmers.
    pub(super) trimming: Trimming,
    /// What becomes of differences between the strategies.
    pub(super) comparison: super::comparison::Comparison,
    /// How the stages are laid over threads and cores.
    pub(super) pipeline: Pipeline,
    /// Where packets go.
    pub(super) output: Output,
    /// The daemon as an operator meets it.
    pub(super) control: Control,
    /// Who is told what.
    pub(super) alerts: Alerts,
    /// When the appliance is well.
    pub(super) health: super::rollout::Health,
    /// The way from `legacy` to `scanning`.
    pub(super) rollout: super::rollout::Rollout,
    /// The web page and the probes.
    pub(super) web: super::web::Web,
    /// Where metrics and events go as documents.
    pub(super) elasticsearch: super::elasticsearch::Elasticsearch,
    /// What the daemon takes from itself.
    pub(super) security: super::security::SecuritySection,
    /// What the daemon says about itself.
    pub(super) logging: super::logging::Logging,
}

/// Where packets come from.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Capture {
    /// Network interfaces to capture on. `--interface` on the command line replaces the list.
    pub(super) interfaces: Vec<Spanned<String>>,
    /// How the XDP program is attached.
    pub(super) xdp_mode: Key<XdpMode>,
    /// How AF_XDP sockets are bound.
    pub(super) bind: Key<Bind>,
    /// Take frames that are addressed to others. A SPAN port needs it.
    pub(super) promiscuous: Key<bool>,
    /// Bytes of one frame in memory: 2048, or 4096 for an MTU above 1500.
    pub(super) frame_size: Key<u32>,
    /// Frames of each RX queue, a power of two. A small pool stays in the cache; a large one rides out longer stalls.
    pub(super) frames_per_queue: Key<u32>,
    /// Entries of each RX ring, a power of two, at most `frames_per_queue`; by default half as many, and 8192 at most.
    pub(super) ring_size: Key<u32>,
    /// 2 MiB pages for frame memory.
    pub(super) huge_pages: Key<HugePages>,
    /// How a receiving thread waits for packets.
    pub(super) wait: Key<Wait>,
    /// For so long a thread that waits with `adaptive` or `poll` runs the driver's receive loop itself before it sleeps
    /// (`SO_PREFER_BUSY_POLL`); 0 leaves that to the kernel. Worth it on a NIC whose interrupts are deferred
    /// (`napi_defer_hard_irqs`, `gro_flush_timeout`).
    pub(super) busy_poll: Key<Span>,
    /// What becomes of packets when user space is gone.
    pub(super) on_user_space_loss: Key<OnLoss>,
    /// When the daemon has not renewed its lease for this long, the kernel falls back to `legacy` by itself.
    pub(super) lease: Key<Span>,
    /// Pin the XDP program and its maps under /sys/fs/bpf/trim: what a restarted daemon, a rollback without one, and
    /// `on_user_space_loss: drop` after a kill need. Where no BPF file system is mounted there, it is mounted.
    pub(super) pin: Key<bool>,
    /// Let the XDP program cut off bodies that a trimmer knows in advance, before packets are copied. The files are the
    /// same with it and without it. It is off where `trimming.action` is `mask`.
    pub(super) body_cut: Key<bool>,
}

/// How the XDP program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum XdpMode {
    /// Native where the driver has it, else generic.
    Auto,
    /// Native or not at all.
    Native,
    /// Generic (skb) mode.
    Generic,
}

/// How AF_XDP sockets are bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// Zero-copy where the driver has it, else copy.
    Auto,
    /// Zero-copy or not at all.
    ZeroCopy,
    /// Copy.
    Copy,
}

/// Whether frame memory uses 2 MiB pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HugePages {
    /// Where they can be had.
    Auto,
    /// Or not at all.
    Always,
    /// Never.
    Never,
}

/// How a receiving thread waits for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// Spins: the lowest latency, one core busy.
    Spin,
    /// Spins for a while after each packet, then sleeps.
    Adaptive,
    /// Sleeps until the kernel wakes it.
    Poll,
}

/// What becomes of packets when no user space takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// They go on to the network stack.
    Pass,
    /// They are dropped.
    Drop,
}

/// What is looked at.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    /// Where HTTP is looked for: `any` (every TCP port, recognised by its first bytes) or a list such as [80, 8080].
    pub(super) ports: Key<PortList>,
    /// What is done with packets that are not HTTP.
    pub(super) non_http: Key<NonHttp>,
}

/// `any`, or a list of ports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected is `any` or a list of ports such as [80, 8080]")]
pub(super) enum PortList {
    /// `any`; or, where lists are words, ports with commas between them.
    Word(String),
    /// One port.
    Number(u32),
    /// Ports, 1 to 65535.
    List(Vec<u32>),
}

/// Who trims.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StrategySection {
    /// Who trims when the capture starts.
    pub(super) mode: Key<ModeName>,
    /// Share of flows on `scanning` in mode `ab_test`, percent.
    pub(super) split_percent: Key<f64>,
    /// Seed of the flow hash that decides which flow goes where. Without one, it is drawn at each start.
    pub(super) seed: Key<u64>,
}

/// The five modes by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeName {
    /// The exact trimmer: it reassembles each direction of a connection.
    Legacy,
    /// The fast trimmer: it searches, and keeps a few bytes of state.
    Scanning,
    /// Each flow gets the trimmer that suits it.
    Auto,
    /// A share of flows (`split_percent`) on `scanning`, the others on `legacy`.
    AbTest,
    /// Both look at every flow and are compared; `legacy` decides.
    Comparison,
}

/// How it is trimmed, and bounds of the trimmers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Trimming {
    /// How removed bytes leave a packet.
    pub(super) action: Key<Action>,
    /// Chunk-size lines and the line ends behind chunk data.
    pub(super) framing: Key<Retention>,
    /// Bytes behind CONNECT and Upgrade.
    pub(super) opaque: Key<Retention>,
    /// First bytes of each message body that stay.
    pub(super) body_keep_bytes: Key<Size>,
    /// Header fields whose values are overwritten in place.
    pub(super) redact_headers: Vec<Spanned<String>>,
    /// Longest header block that is followed; a longer one is kept whole.
    pub(super) max_header_block: Key<Size>,
    /// How far `scanning` looks for the end of a header block.
    pub(super) scan_window: Key<Size>,
    /// Most flows of each trimmer; the least recently used one makes room.
    pub(super) max_flows: Key<u64>,
    /// Most memory for reassembly, of each trimmer.
    pub(super) reassembly: Key<Size>,
    /// Most memory for reassembly, of each direction of a flow.
    pub(super) reassembly_per_direction: Key<Size>,
    /// Most memory of a worker for packets whose bytes cannot be judged before later ones arrive.
    pub(super) hold: Key<Size>,
    /// Longest time that such a packet waits.
    pub(super) hold_time: Key<Span>,
    /// How long `legacy` waits for bytes that were not captured although their receiver has acknowledged them, so that no
    /// retransmission will bring them. A capture that mixes up the order of packets may need more.
    pub(super) hold_time_acknowledged: Key<Span>,
    /// Longest time that such a packet waits while the capture itself loses packets because they come too fast. What it has
    /// lost does not come again, and all packets behind one that waits have to wait, too, which costs time.
    pub(super) hold_time_overloaded: Key<Span>,
}

/// How the stages are laid over threads and cores.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pipeline {
    /// How the stages of the data path are laid over threads.
    pub(super) layout: Key<Layout>,
    /// Cores that the receiving threads are pinned to. Empty: chosen by the program.
    pub(super) receive_cores: Vec<Spanned<u32>>,
    /// Cores that the workers of `legacy` are pinned to. Empty: chosen by the program.
    pub(super) legacy_cores: Vec<Spanned<u32>>,
    /// Cores that the workers of `scanning` are pinned to. Empty: chosen by the program.
    pub(super) scanning_cores: Vec<Spanned<u32>>,
    /// Core that the writer is pinned to. Without one, it is chosen by the program.
    pub(super) writer_core: Key<u32>,
    /// Frames that move together between threads.
    pub(super) batch: Key<u32>,
    /// Batches that may wait in front of a worker. Behind that, packets are dropped, and counted as `queue_full`.
    pub(super) queue_batches: Key<u32>,
}

/// How the stages of the data path are laid over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Threads with four cores or more, else inline.
    Auto,
    /// Everything on the receiving thread.
    Inline,
    /// Receiving, each strategy and writing on threads of their own.
    Threads,
}

/// Where packets go.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Output {
    /// Folder of the capture files.
    pub(super) directory: Key<PathBuf>,
    /// First part of their names.
    pub(super) prefix: Key<String>,
    /// Format of capture files.
    pub(super) format: Key<Format>,
    /// How capture files are compressed.
    pub(super) compression: Key<Compression>,
    /// A new file after so many bytes. Without it, never.
    pub(super) rotate_bytes: Key<Size>,
    /// A new file after so long. Without it, never.
    pub(super) rotate_time: Key<Span>,
    /// A new file after so many packets. Without it, never.
    pub(super) rotate_packets: Key<u64>,
    /// Most bytes of finished files; the oldest are deleted. Without it, there is no limit.
    pub(super) quota: Key<Size>,
    /// Force a finished file to the disk before it gets its name.
    pub(super) sync: Key<bool>,
}

/// The daemon as an operator meets it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Control {
    /// The daemon's socket, for `trim status`, `trim switch`, `trim rotate` and `trim stop`.
    pub(super) socket: Key<PathBuf>,
    /// What was measured, decided and done: one SQLite file, mode 0600.
    pub(super) database: Key<PathBuf>,
    /// For so long at most a decision waits to be stored; then it is acted upon, and stored when the disk takes it.
    pub(super) database_wait: Key<Span>,
    /// Members of this group may use the socket besides root and the daemon's user: a name in /etc/group, or a number.
    /// Without it, nobody else.
    pub(super) group: Key<String>,
    /// Whether the configuration is read anew when one of its files changes, as by `trim config reload`.
    pub(super) watch_config: Key<bool>,
}
