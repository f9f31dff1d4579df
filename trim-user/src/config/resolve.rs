//! From what was written to what is meant: defaults, ranges, and every problem at once.

use std::time::Duration;

use trim_common::strategy::{Mode, Split};

use super::alerts;
use super::check::{Check, value};
use super::layers::STANDARD_SOCKET;
use super::place::{Key, Place, Spanned};
use super::raw::{self, ModeName, PortList};
use super::resolved::{
    Assignment, Bind, Capture, Config, Hold, HugePages, Layout, OnLoss, Output, Pipeline, Wait, XdpMode,
};
use super::units::Size;
use crate::data::{Compression, Format};
use crate::trimmer::{Action, NonHttp, Policy, Ports, Retention, Settings};

/// Linux limits an interface name to 15 bytes (IFNAMSIZ, linux/if.h).
const LONGEST_INTERFACE_NAME: usize = 15;

/// The configuration that is meant; what is wrong with it, and the facts of its keys.
pub(super) fn resolve(file: raw::File) -> (Config, Check) {
    let mut check = Check::default();
    let (watching, rollout) = super::rollout::resolve(&mut check, &file.health, &file.rollout);
    let logging = super::logging::resolve(&mut check, &file.logging, &file.trimming.redact_headers);
    let config = Config {
        capture: capture(&mut check, &file.capture),
        strategy: assignment(&mut check, &file.strategy),
        policy: Policy {
            action: check.choice("trimming.action", &file.trimming.action, Action::default()),
            framing: check.choice("trimming.framing", &file.trimming.framing, Retention::default()),
            opaque: check.choice("trimming.opaque", &file.trimming.opaque, Retention::default()),
            non_http: check.choice("http.non_http", &file.http.non_http, NonHttp::default()),
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
            time_overloaded: check.span(
                "trimming.hold_time_overloaded",
                &file.trimming.hold_time_overloaded,
                2 * MILLISECOND,
                Duration::ZERO,
                HOUR,
            ),
        },
        exemplars: super::comparison::resolve(&mut check, &file.comparison),
        pipeline: pipeline(&mut check, &file.pipeline),
        output: output(&mut check, &file.output),
        control_socket: check.path("control.socket", &file.control.socket, STANDARD_SOCKET),
        control_group: check.optional_text("control.group", &file.control.group),
        watch_config: check.choice("control.watch_config", &file.control.watch_config, false),
        alerts: alerts::resolve(&mut check, &file.alerts),
        database: check.path("control.database", &file.control.database, "/var/lib/trim/trim.db"),
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
        elasticsearch: super::elasticsearch::resolve(&mut check, &file.elasticsearch),
        security: super::security::resolve(&mut check, &file.security),
        logging,
    };
    if config.capture.ring_size > config.capture.frames_per_queue {
        let place = file
            .capture
            .ring_size
            .as_ref()
            .or(file.capture.frames_per_queue.as_ref());
        let message = format!(
            "{} is more than capture.frames_per_queue ({}): the ring could never fill",
            config.capture.ring_size, config.capture.frames_per_queue
        );
        match place {
            Some(given) => check.at(given.referenced, "capture.ring_size", message),
            None => check.nowhere("capture.ring_size", message),
        }
    }
    (config, check)
}

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(3600);

/// Frames of a queue: at two million packets a second they bridge a stall of 8 ms.
const FRAMES: u32 = 16384;
/// Entries of an RX ring, unless the pool is smaller than twice as many frames.
const RING: u32 = 8192;

fn capture(check: &mut Check, raw: &raw::Capture) -> Capture {
    let frame_size = check.number("capture.frame_size", &raw.frame_size, 2048, 2048, 4096);
    check.power_of_two("capture.frame_size", &raw.frame_size);
    let frames_per_queue = check.number("capture.frames_per_queue", &raw.frames_per_queue, FRAMES, 64, 1 << 20);
    check.power_of_two("capture.frames_per_queue", &raw.frames_per_queue);
    let ring_size = (frames_per_queue / 2).clamp(32, RING);
    let ring_size = check.number("capture.ring_size", &raw.ring_size, ring_size, 32, 1 << 16);
    check.power_of_two("capture.ring_size", &raw.ring_size);
    Capture {
        interfaces: interfaces(check, &raw.interfaces),
        xdp_mode: check.choice("capture.xdp_mode", &raw.xdp_mode, XdpMode::Auto),
        bind: check.choice("capture.bind", &raw.bind, Bind::Auto),
        promiscuous: check.choice("capture.promiscuous", &raw.promiscuous, true),
        frame_size,
        frames_per_queue,
        ring_size,
        huge_pages: check.choice("capture.huge_pages", &raw.huge_pages, HugePages::Auto),
        wait: check.choice("capture.wait", &raw.wait, Wait::Adaptive),
        busy_poll: check.span(
            "capture.busy_poll",
            &raw.busy_poll,
            Duration::ZERO,
            Duration::ZERO,
            100 * MILLISECOND,
        ),
        on_user_space_loss: check.choice("capture.on_user_space_loss", &raw.on_user_space_loss, OnLoss::Pass),
        lease: check.span(
            "capture.lease",
            &raw.lease,
            Duration::from_secs(2),
            100 * MILLISECOND,
            HOUR,
        ),
        pin: check.choice("capture.pin", &raw.pin, true),
        body_cut: check.choice("capture.body_cut", &raw.body_cut, true),
    }
}

fn interfaces(check: &mut Check, raw: &[Spanned<String>]) -> Vec<String> {
    check.note("capture.interfaces", raw::NONE);
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
    let mode = match check.choice("strategy.mode", &raw.mode, ModeName::Legacy) {
        ModeName::Legacy => Mode::Legacy,
        ModeName::Scanning => Mode::Scanning,
        ModeName::Auto => Mode::Auto,
        ModeName::AbTest => Mode::AbTest,
        ModeName::Comparison => Mode::Comparison,
    };
    check.note("strategy.seed", ());
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
        hold_acknowledged_ns: check
            .span(
                "trimming.hold_time_acknowledged",
                &raw.hold_time_acknowledged,
                Duration::from_nanos(defaults.hold_acknowledged_ns),
                Duration::ZERO,
                HOUR,
            )
            .as_nanos() as u64,
        scan_window: check.size("trimming.scan_window", &raw.scan_window, 8192, 256, 1 << 20) as u32,
    }
}

fn ports(check: &mut Check, raw: &Key<PortList>) -> Ports {
    let key = "http.ports";
    check.note(key, "any");
    let Some(given) = raw else { return Ports::Any };
    match &given.value {
        PortList::Word(word) if word == "any" => Ports::Any,
        PortList::Number(port) => listed_ports(check, given.referenced, &[*port]),
        PortList::Word(word) => {
            let numbers: Result<Vec<u32>, _> = word.split(',').map(|port| port.trim().parse()).collect();
            if let Ok(list) = numbers {
                return listed_ports(check, given.referenced, &list);
            }
            check.at(
                given.referenced,
                key,
                format!("`{word}` is not allowed: write `any` or a list such as [80, 8080]"),
            );
            Ports::Any
        }
        PortList::List(list) => listed_ports(check, given.referenced, list),
    }
}

fn listed_ports(check: &mut Check, place: Place, list: &[u32]) -> Ports {
    let mut ports: Vec<u16> = list.iter().filter_map(|&port| u16::try_from(port).ok()).collect();
    if list.is_empty() || ports.len() < list.len() || ports.contains(&0) {
        check.at(
            place,
            "http.ports",
            "a list of ports must not be empty, and a port is a number from 1 to 65535",
        );
    }
    ports.sort_unstable();
    ports.dedup();
    Ports::Only(ports)
}

fn redacted(check: &mut Check, raw: &[Spanned<String>]) -> Vec<Box<str>> {
    check.note("trimming.redact_headers", raw::NONE);
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
    for key in ["receive_cores", "legacy_cores", "scanning_cores"] {
        check.note(&format!("pipeline.{key}"), raw::NONE);
    }
    check.note("pipeline.writer_core", ());
    Pipeline {
        layout: check.choice("pipeline.layout", &raw.layout, Layout::Auto),
        receive_cores: cores(&raw.receive_cores),
        legacy_cores: cores(&raw.legacy_cores),
        scanning_cores: cores(&raw.scanning_cores),
        writer_core: value(&raw.writer_core).map(|core| core as usize),
        batch: check.number("pipeline.batch", &raw.batch, 64, 1, 1024) as usize,
        queue_batches: check.number("pipeline.queue_batches", &raw.queue_batches, 64, 1, 1 << 16) as usize,
    }
}

fn cores(raw: &[Spanned<u32>]) -> Vec<usize> {
    raw.iter().map(|core| core.value as usize).collect()
}

fn output(check: &mut Check, raw: &raw::Output) -> Output {
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
        directory: check.path("output.directory", &raw.directory, "/var/lib/trim/captures"),
        prefix: check.text("output.prefix", &raw.prefix, "trim"),
        format: check.choice("output.format", &raw.format, Format::Pcapng),
        compression: check.choice("output.compression", &raw.compression, Compression::None),
        rotate_bytes: check.optional_size("output.rotate_bytes", &raw.rotate_bytes, 64 << 10),
        rotate_time: check.optional_span("output.rotate_time", &raw.rotate_time, Duration::from_secs(1)),
        rotate_packets: check.optional_number("output.rotate_packets", &raw.rotate_packets, 1, u64::MAX),
        quota: check.optional_size("output.quota", &raw.quota, 1 << 20),
        sync: check.choice("output.sync", &raw.sync, true),
    }
}
