//! The benchmark's source of traffic: real frames made in the kernel, faster than any NIC of a small machine brings them.

use std::time::Duration;

use aya::Ebpf;
use aya::maps::{Array, MapData};
use trim_common::maps::{self, SOURCE_FLOWS_MAX, SourceFlow, SourceSetup};

use super::error::KernelError;
use super::program::{load_object, verify, xdp};
use super::test_run::run_live;

/// Frames that the kernel makes and sends together (`TEST_XDP_MAX_BATCH`, net/bpf/test_run.c, is 256).
const BATCH: u32 = 64;
/// Ethernet, IPv4 without options, TCP without options: what a template begins with at least, bytes.
const HEADERS: usize = 14 + 20 + 20;

/// Makes segments of many flows from templates and sends them out of one interface.
pub struct Source {
    ebpf: Ebpf,
    setup: Array<MapData, SourceSetup>,
}

impl Source {
    /// A source that sends out of the interface with this index (of this network namespace), round about for `flows`
    /// (1 to [`SOURCE_FLOWS_MAX`]). For a veth pair that is the far end; the near end needs an XDP program.
    ///
    /// # Errors
    /// As for [`Program::load`](super::program::Program::load).
    ///
    /// # Panics
    /// When there are no flows, or too many.
    pub fn load(interface: u32, flows: &[SourceFlow]) -> Result<Self, KernelError> {
        assert!(
            (1..=SOURCE_FLOWS_MAX as usize).contains(&flows.len()),
            "a source has 1 to {SOURCE_FLOWS_MAX} flows, not {}",
            flows.len()
        );
        let mut ebpf = load_object(None)?;
        verify(&mut ebpf, maps::SOURCE_PROGRAM)?;
        let mut table: Array<MapData, SourceFlow> = super::maps::take(&mut ebpf, maps::SOURCE_FLOWS)?;
        for (index, flow) in (0..).zip(flows) {
            table
                .set(index, flow, 0)
                .map_err(KernelError::map(maps::SOURCE_FLOWS, "write"))?;
        }
        let mut setup: Array<MapData, SourceSetup> = super::maps::take(&mut ebpf, maps::SOURCE_SETUP)?;
        let start = SourceSetup {
            interface,
            flows: flows.len() as u32,
            ..SourceSetup::default()
        };
        setup
            .set(0, start, 0)
            .map_err(KernelError::map(maps::SOURCE_SETUP, "write"))?;
        Ok(Self { ebpf, setup })
    }

    /// Sends `count` segments: copies of `template` (Ethernet, IPv4 without options, TCP, with correct checksums) with the
    /// ports and the next sequence number of each flow in turn. Returns when all are made; the mean time per frame.
    ///
    /// # Errors
    /// [`KernelError::TestRun`].
    ///
    /// # Panics
    /// When the template is shorter than its headers.
    pub fn send(&mut self, template: &[u8], count: u32) -> Result<Duration, KernelError> {
        let header = HEADERS - 20 + usize::from(template[14 + 20 + 12] >> 4) * 4;
        assert!(template.len() >= header, "a template has whole headers");
        let mut setup = self
            .setup
            .get(&0, 0)
            .map_err(KernelError::map(maps::SOURCE_SETUP, "read"))?;
        setup.step = (template.len() - header) as u32;
        self.setup
            .set(0, setup, 0)
            .map_err(KernelError::map(maps::SOURCE_SETUP, "write"))?;
        run_live(xdp(&mut self.ebpf, maps::SOURCE_PROGRAM)?, template, count, BATCH)
    }

    /// How many segments were made so far. Not all of them need have arrived: an interface may drop what it sends.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn made(&self) -> Result<u64, KernelError> {
        let setup = self.setup.get(&0, 0);
        Ok(setup.map_err(KernelError::map(maps::SOURCE_SETUP, "read"))?.made)
    }
}
