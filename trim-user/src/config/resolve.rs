//! From what was written to what is meant: defaults, ranges, and every problem at once.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use serde_saphyr::{Location, Spanned};
use trim_common::strategy::{Mode, Split};

use super::alerts;
use super::error::Problem;
use super::raw::{self, Key, ModeName, PortList};
use super::resolved::{
    Assignment, Bind, Capture, Config, Hold, HugePages, Layout, OnLoss, Output, Pipeline, Wait, XdpMode,
};
use super::units::{Size, Span};
use crate::data::{Compression, Format};
use crate::trimmer::{Policy, Ports, Settings};

/// Linux limits an interface name to 15 bytes (IFNAMSIZ, linux/if.h).
const LONGEST_INTERFACE_NAME: usize = 15;

pub(super) fn resolve(file: raw::File) -> Result<Config, Vec<Problem>> {
    let mut check = Check::default();
    let (watching, rollout) = super::rollout::resolve(&mut check, &file.health, &file.rollout);
    let logging = super::logging::resolve(&mut check, &file.logging, &file.trimming.redact_headers);
    let config = Config {
        source: None,
        capture: capture(&mut check, &file.capture),
        strategy: assignment(&mut check, &file.strategy),
        policy: Policy {
            action: value(&file.trimming.action).unwrap_or_default(),
            framing: value(&file.trimming.framing).unwrap_or_default(),
            opaque: value(&file.trimming.opaque).unwrap_or_default(),
            non_http: value(&file.http.non_http).unwrap_or_default(),
        },
        trimmer: trimmer(&mut check, &file),
        hold: Hold {
            bytes: check.size("trimming.hold", &file.trimming.hold, 64 << 20, 1 << 20, 2 << 30) as usize,
            time: check.span(
                "trimming.hold_time",
                &file.trimming.hold_time,
                Duration::from_secs(1),
                MILLISECOND,
                HOUR,
            ),
        },
        exemplars: super::comparison::resolve(&mut check, &file.comparison),
        pipeline: pipeline(&mut check, &file.pipeline),
        output: output(&mut check, file.output),
        control_socket: file
            .control
            .socket
            .map_or_else(|| PathBuf::from("/run/trim/trim.sock"), |path| path.value),
        control_group: file.control.group.map(|group| group.value),
        alerts: alerts::resolve(&mut check, &file.alerts),
        database: file
            .control
            .database
            .map_or_else(|| PathBuf::from("/var/lib/trim/trim.db"), |path| path.value),
        database_wait: check.span(
            "control.database_wait",
            &file.control.database_wait,
            500 * MILLISECOND,
            Duration::ZERO,
            Duration::from_secs(10),
        ),
        watching,
        rollout,
        web: super::web::resolve(&mut check, &file.web),
        logging,
    };
    check.into_result(config)
}

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

fn capture(check: &mut Check, raw: &raw::Capture) -> Capture {
    let frame_size = check.number("capture.frame_size", &raw.frame_size, 2048, 2048, 4096);
    check.power_of_two("capture.frame_size", &raw.frame_size);
    let frames_per_queue = check.number("capture.frames_per_queue", &raw.frames_per_queue, 4096, 64, 1 << 20);
    check.power_of_two("capture.frames_per_queue", &raw.frames_per_queue);
    let ring_size = check.number("capture.ring_size", &raw.ring_size, 2048, 32, 1 << 16);
    check.power_of_two("capture.ring_size", &raw.ring_size);
    Capture {
        interfaces: interfaces(check, &raw.interfaces),
        xdp_mode: value(&raw.xdp_mode).unwrap_or(XdpMode::Auto),
        bind: value(&raw.bind).unwrap_or(Bind::Auto),
        promiscuous: value(&raw.promiscuous).unwrap_or(true),
        frame_size,
        frames_per_queue,
        ring_size,
        huge_pages: value(&raw.huge_pages).unwrap_or(HugePages::Auto),
        wait: value(&raw.wait).unwrap_or(Wait::Adaptive),
        on_user_space_loss: value(&raw.on_user_space_loss).unwrap_or(OnLoss::Pass),
        lease: check.span(
            "capture.lease",
            &raw.lease,
            Duration::from_secs(2),
            100 * MILLISECOND,
            HOUR,
        ),
        pin: value(&raw.pin).unwrap_or(true),
        body_cut: value(&raw.body_cut).unwrap_or(true),
    }
}

fn interfaces(check: &mut Check, raw: &[Spanned<String>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in raw {
        let key = "capture.interfaces";
        if let Err(problem) = check_interface_name(&name.value) {
            check.at(name.referenced, key, problem);
        } else if names.contains(&name.value) {
            check.at(name.referenced, key, format!("`{}` is named twice", name.value));
        } else {
            names.push(name.value.clone());
        }
    }
    names
}

/// Whether `name` can be the name of a network interface (`dev_valid_name`, net/core/dev.c).
///
/// # Errors
/// What is allowed.
pub fn check_interface_name(name: &str) -> Result<(), String> {
    let is_allowed = !name.is_empty()
        && name.len() <= LONGEST_INTERFACE_NAME
        && name != "."
        && name != ".."
        && !name.contains(|c: char| c == '/' || c == ':' || c.is_whitespace());
    if is_allowed {
        Ok(())
    } else {
        Err(format!(
            "`{name}` cannot be an interface name: 1 to 15 bytes without `/`, `:` or spaces"
        ))
    }
}

fn assignment(check: &mut Check, raw: &raw::StrategySection) -> Assignment {
    let mode = match value(&raw.mode) {
        None | Some(ModeName::Legacy) => Mode::Legacy,
        Some(ModeName::Scanning) => Mode::Scanning,
        Some(ModeName::Auto) => Mode::Auto,
        Some(ModeName::AbTest) => Mode::AbTest,
        Some(ModeName::Comparison) => Mode::Comparison,
    };
    let percent = check.number("strategy.split_percent", &raw.split_percent, 10.0, 0.0, 100.0);
    Assignment {
        mode,
        split: Split::from_basis_points((percent * 100.0).round() as u32),
        seed: value(&raw.seed),
    }
}

fn trimmer(check: &mut Check, file: &raw::File) -> Settings {
    let raw = &file.trimming;
    let defaults = Settings::default();
    let size = |check: &mut Check, key, given: &Key<Size>, default: usize, least, most| {
        check.size(key, given, default as u64, least, most) as usize
    };
    Settings {
        ports: ports(check, &file.http.ports),
        body_keep_bytes: check.size("trimming.body_keep_bytes", &raw.body_keep_bytes, 0, 0, 1 << 30) as u32,
        redact_headers: redacted(check, &raw.redact_headers),
        max_header_block: check.size(
            "trimming.max_header_block",
            &raw.max_header_block,
            256 << 10,
            1 << 10,
            64 << 20,
        ) as u32,
        max_flows: check.number(
            "trimming.max_flows",
            &raw.max_flows,
            defaults.max_flows as u64,
            16,
            1 << 26,
        ) as usize,
        reassembly_bytes: size(
            check,
            "trimming.reassembly",
            &raw.reassembly,
            defaults.reassembly_bytes,
            0,
            64 << 30,
        ),
        reassembly_bytes_per_direction: size(
            check,
            "trimming.reassembly_per_direction",
            &raw.reassembly_per_direction,
            defaults.reassembly_bytes_per_direction,
            0,
            1 << 30,
        ),
        scan_window: check.size("trimming.scan_window", &raw.scan_window, 8192, 256, 1 << 20) as u32,
    }
}

fn ports(check: &mut Check, raw: &Key<PortList>) -> Ports {
    let key = "http.ports";
    let Some(given) = raw else { return Ports::Any };
    match &given.value {
        PortList::Word(word) if word == "any" => Ports::Any,
        PortList::Word(word) => {
            check.at(
                given.referenced,
                key,
                format!("`{word}` is not allowed: write `any` or a list such as [80, 8080]"),
            );
            Ports::Any
        }
        PortList::List(list) => {
            let mut ports: Vec<u16> = list.iter().filter_map(|&port| u16::try_from(port).ok()).collect();
            if list.is_empty() || ports.len() < list.len() || ports.contains(&0) {
                check.at(
                    given.referenced,
                    key,
                    "a list of ports must not be empty, and a port is a number from 1 to 65535",
                );
            }
            ports.sort_unstable();
            ports.dedup();
            Ports::Only(ports)
        }
    }
}

fn redacted(check: &mut Check, raw: &[Spanned<String>]) -> Vec<Box<str>> {
    for name in raw {
        let is_token = !name.value.is_empty()
            && name
                .value
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
        if !is_token {
            let message = format!("`{}` is not a header field name (RFC 9110 section 5.6.2)", name.value);
            check.at(name.referenced, "trimming.redact_headers", message);
        }
    }
    raw.iter()
        .map(|name| name.value.to_ascii_lowercase().into_boxed_str())
        .collect()
}

fn pipeline(check: &mut Check, raw: &raw::Pipeline) -> Pipeline {
    Pipeline {
        layout: value(&raw.layout).unwrap_or(Layout::Auto),
        receive_cores: raw.receive_cores.clone().unwrap_or_default(),
        legacy_cores: raw.legacy_cores.clone().unwrap_or_default(),
        scanning_cores: raw.scanning_cores.clone().unwrap_or_default(),
        writer_core: value(&raw.writer_core),
        batch: check.number("pipeline.batch", &raw.batch, 64, 1, 1024) as usize,
        queue_batches: check.number("pipeline.queue_batches", &raw.queue_batches, 64, 1, 1 << 16) as usize,
    }
}

fn output(check: &mut Check, raw: raw::Output) -> Output {
    if let Some(prefix) = &raw.prefix
        && (prefix.value.is_empty() || prefix.value.contains('/') || prefix.value.starts_with('.'))
    {
        check.at(
            prefix.referenced,
            "output.prefix",
            "a file name prefix is not empty, has no `/` and no leading dot",
        );
    }
    Output {
        directory: raw
            .directory
            .map_or_else(|| PathBuf::from("/var/lib/trim/captures"), |path| path.value),
        prefix: raw.prefix.map_or_else(|| "trim".to_owned(), |prefix| prefix.value),
        format: value(&raw.format).unwrap_or(Format::Pcapng),
        compression: value(&raw.compression).unwrap_or(Compression::None),
        rotate_bytes: check.optional_size("output.rotate_bytes", &raw.rotate_bytes, 64 << 10),
        rotate_time: check.optional_span("output.rotate_time", &raw.rotate_time, Duration::from_secs(1)),
        rotate_packets: raw
            .rotate_packets
            .is_some()
            .then(|| check.number("output.rotate_packets", &raw.rotate_packets, 1, 1, u64::MAX)),
        quota: check.optional_size("output.quota", &raw.quota, 1 << 20),
        sync: value(&raw.sync).unwrap_or(true),
    }
}

pub(super) fn value<T: Copy>(key: &Key<T>) -> Option<T> {
    key.as_ref().map(|given| given.value)
}

/// Collects problems, so that all of them are reported at once.
#[derive(Default)]
pub(super) struct Check {
    problems: Vec<Problem>,
}

impl Check {
    pub(super) fn at(&mut self, location: Location, key: &str, message: impl Display) {
        self.problems.push(Problem::at(location, key, message));
    }

    /// A number within `least..=most`, or the default.
    pub(super) fn number<T: Copy + PartialOrd + Display>(
        &mut self,
        key: &str,
        given: &Key<T>,
        default: T,
        least: T,
        most: T,
    ) -> T {
        let Some(given) = given else { return default };
        if given.value >= least && given.value <= most {
            return given.value;
        }
        self.at(
            given.referenced,
            key,
            format!("{} is not allowed: a number from {least} to {most}", given.value),
        );
        default
    }

    pub(super) fn power_of_two(&mut self, key: &str, given: &Key<u32>) {
        if let Some(given) = given
            && !given.value.is_power_of_two()
        {
            self.at(
                given.referenced,
                key,
                format!("{} is not allowed: a power of two", given.value),
            );
        }
    }

    pub(super) fn size(&mut self, key: &str, given: &Key<Size>, default: u64, least: u64, most: u64) -> u64 {
        let Some(given) = given else { return default };
        if given.value.0 >= least && given.value.0 <= most {
            return given.value.0;
        }
        let message = format!(
            "{} bytes is not allowed: a size from {least} to {most} bytes",
            given.value.0
        );
        self.at(given.referenced, key, message);
        default
    }

    pub(super) fn nowhere(&mut self, key: &str, message: impl Display) {
        self.problems.push(Problem::nowhere(key, message));
    }

    pub(super) fn span(
        &mut self,
        key: &str,
        given: &Key<Span>,
        default: Duration,
        least: Duration,
        most: Duration,
    ) -> Duration {
        let Some(given) = given else { return default };
        if given.value.0 >= least && given.value.0 <= most {
            return given.value.0;
        }
        self.at(
            given.referenced,
            key,
            format!("{:?} is not allowed: from {least:?} to {most:?}", given.value.0),
        );
        default
    }

    pub(super) fn optional_size(&mut self, key: &str, given: &Key<Size>, least: u64) -> Option<u64> {
        given.as_ref()?;
        Some(self.size(key, given, least, least, u64::MAX))
    }

    pub(super) fn optional_span(&mut self, key: &str, given: &Key<Span>, least: Duration) -> Option<Duration> {
        given.as_ref()?;
        Some(self.span(key, given, least, least, 8760 * HOUR))
    }

    fn into_result(mut self, config: Config) -> Result<Config, Vec<Problem>> {
        if config.capture.ring_size > config.capture.frames_per_queue {
            let message = format!(
                "{} is more than capture.frames_per_queue ({}): the ring could never fill",
                config.capture.ring_size, config.capture.frames_per_queue
            );
            self.problems.push(Problem::nowhere("capture.ring_size", message));
        }
        self.problems.sort_by_key(|problem| (problem.line, problem.column));
        if self.problems.is_empty() {
            Ok(config)
        } else {
            Err(self.problems)
        }
    }
}
