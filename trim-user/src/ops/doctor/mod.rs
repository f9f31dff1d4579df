//! Is this machine fit for a capture? Everything is read, nothing is changed.
//!
//! Each area reads its facts and judges them in a pure function, so that machines can be judged that are not at hand.
//! Network interfaces are asked through the kernel's own calls; what the kernel tells only in `/sys` (cores, clocks, PCI)
//! is the same in every network namespace, and is marked as read there.

mod channels;
mod clock;
mod cores;
mod directories;
mod disk;
mod elasticsearch;
mod interface;
mod kernel;
mod leftovers;
mod memory;
mod text;

use crate::config::Config;
use crate::kernel::nic;
use crate::ops::finding::Report;

/// Looks at everything that matters for a capture with this configuration. With no interface named, only the machine is
/// looked at. Takes about two seconds, most of it for the disk. The server of Elasticsearch is connected to, and told nothing.
pub fn examine(config: &Config) -> Report {
    let mut report = Report::default();
    let interfaces: Vec<nic::Interface> = interface::examine(&config.capture, &mut report);
    let queues = interfaces.iter().map(|interface| interface.queues).sum();
    kernel::examine(&config.capture, queues, &mut report);
    leftovers::examine(&mut report);
    cores::examine(&config.pipeline, &interfaces, &mut report);
    memory::examine(config, queues, &mut report);
    clock::examine(&mut report);
    disk::examine(&config.output, &mut report);
    elasticsearch::examine(config, &mut report);
    report.group();
    report
}

/// Looks at what would keep a capture with this configuration from starting, or its alerts and documents from arriving.
/// Nothing is written, not even to measure. Servers are connected to, and told nothing.
pub fn check_start(config: &Config) -> Report {
    let mut report = Report::default();
    let interfaces = interface::examine(&config.capture, &mut report);
    let queues = interfaces.iter().map(|interface| interface.queues).sum();
    cores::examine(&config.pipeline, &interfaces, &mut report);
    memory::examine(config, queues, &mut report);
    directories::examine(config, &mut report);
    channels::examine(config, &mut report);
    elasticsearch::examine(config, &mut report);
    report.group();
    report
}
