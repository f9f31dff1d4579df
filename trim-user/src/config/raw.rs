//! The configuration file as it is written: every key optional, unknown keys refused, places remembered.

use std::path::PathBuf;

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::alerts::raw::Alerts;
use super::units::{Size, Span};
use crate::data::{Compression, Format};
use crate::trimmer::{Action, NonHttp, Retention};

/// A key that may be left out; where it is given, its place in the file is known.
pub(super) type Key<T> = Option<Spanned<T>>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) capture: Capture,
    pub(super) http: Http,
    pub(super) strategy: StrategySection,
    pub(super) trimming: Trimming,
    pub(super) comparison: super::comparison::Comparison,
    pub(super) pipeline: Pipeline,
    pub(super) output: Output,
    pub(super) control: Control,
    pub(super) alerts: Alerts,
    pub(super) health: super::rollout::Health,
    pub(super) rollout: super::rollout::Rollout,
    pub(super) web: super::web::Web,
    pub(super) logging: super::logging::Logging,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Capture {
    pub(super) interfaces: Vec<Spanned<String>>,
    pub(super) xdp_mode: Key<XdpMode>,
    pub(super) bind: Key<Bind>,
    pub(super) promiscuous: Key<bool>,
    pub(super) frame_size: Key<u32>,
    pub(super) frames_per_queue: Key<u32>,
    pub(super) ring_size: Key<u32>,
    pub(super) huge_pages: Key<HugePages>,
    pub(super) wait: Key<Wait>,
    pub(super) on_user_space_loss: Key<OnLoss>,
    pub(super) lease: Key<Span>,
    pub(super) pin: Key<bool>,
    pub(super) body_cut: Key<bool>,
}

/// How the XDP program is attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// They go on to the network stack.
    Pass,
    /// They are dropped.
    Drop,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Http {
    pub(super) ports: Key<PortList>,
    pub(super) non_http: Key<NonHttp>,
}

/// `any`, or a list of ports.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum PortList {
    Word(String),
    List(Vec<u32>),
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct StrategySection {
    pub(super) mode: Key<ModeName>,
    pub(super) split_percent: Key<f64>,
    pub(super) seed: Key<u64>,
}

/// The five modes by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeName {
    Legacy,
    Scanning,
    Auto,
    AbTest,
    Comparison,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Trimming {
    pub(super) action: Key<Action>,
    pub(super) framing: Key<Retention>,
    pub(super) opaque: Key<Retention>,
    pub(super) body_keep_bytes: Key<Size>,
    pub(super) redact_headers: Vec<Spanned<String>>,
    pub(super) max_header_block: Key<Size>,
    pub(super) scan_window: Key<Size>,
    pub(super) max_flows: Key<u64>,
    pub(super) reassembly: Key<Size>,
    pub(super) reassembly_per_direction: Key<Size>,
    pub(super) hold: Key<Size>,
    pub(super) hold_time: Key<Span>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Pipeline {
    pub(super) layout: Key<Layout>,
    pub(super) receive_cores: Option<Vec<usize>>,
    pub(super) legacy_cores: Option<Vec<usize>>,
    pub(super) scanning_cores: Option<Vec<usize>>,
    pub(super) writer_core: Key<usize>,
    pub(super) batch: Key<u32>,
    pub(super) queue_batches: Key<u32>,
}

/// How the stages of the data path are laid over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Threads with four cores or more, else inline.
    Auto,
    /// Everything on the receiving thread.
    Inline,
    /// Receiving, each strategy and writing on threads of their own.
    Threads,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Output {
    pub(super) directory: Key<PathBuf>,
    pub(super) prefix: Key<String>,
    pub(super) format: Key<Format>,
    pub(super) compression: Key<Compression>,
    pub(super) rotate_bytes: Key<Size>,
    pub(super) rotate_time: Key<Span>,
    pub(super) rotate_packets: Key<u64>,
    pub(super) quota: Key<Size>,
    pub(super) sync: Key<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Control {
    pub(super) socket: Key<PathBuf>,
    pub(super) database: Key<PathBuf>,
    pub(super) database_wait: Key<Span>,
    pub(super) group: Key<String>,
}
