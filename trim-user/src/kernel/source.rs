//! The benchmark's source of traffic: real frames made in the kernel, faster than any NIC of a small machine brings them.

use std::time::Duration;

use aya::Ebpf;
use aya::maps::{Array, MapData};
use trim_common::maps;
use trim_common::source::{FLOWS_MAX, Flow, STEPS_MAX, Setup, Step};

use super::clock;
use super::error::KernelError;
use super::program::{load_source, verify, xdp};
use super::test_run::run_live;

/// Frames that the kernel makes and sends together, without pauses (`TEST_XDP_MAX_BATCH`, net/bpf/test_run.c, is 256).
const BATCH: u32 = 64;
/// The same at a given rate: as many as the kernel hands to an interface at once (`DEV_MAP_BULK_SIZE`), so that what is
/// evenly spaced when it is made does not wait long for the others.
const PACED_BATCH: u32 = 16;

/// What connections say, and who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The segments: 1 to [`STEPS_MAX`].
    pub steps: Vec<Step>,
    /// The connections, which take turns, a frame each: 1 to [`FLOWS_MAX`].
    pub flows: Vec<Flow>,
    /// What stands in each frame where its step writes nothing; as long as the longest frame.
    pub filling: Vec<u8>,
}

/// Plays a [`Script`] out of one interface.
pub struct Source {
    ebpf: Ebpf,
    setup: Array<MapData, Setup>,
    filling: Vec<u8>,
}

impl Source {
    /// A source that sends out of the interface with this index (of this network namespace). For a veth pair that is the
    /// far end; the near end needs an XDP program.
    ///
    /// # Errors
    /// As for [`Program::load`](super::program::Program::load).
    ///
    /// # Panics
    /// When the script has no steps or flows, or too many.
    pub fn load(interface: u32, script: &Script) -> Result<Self, KernelError> {
        let (steps, flows) = (script.steps.len() as u32, script.flows.len() as u32);
        assert!(
            (1..=STEPS_MAX).contains(&steps) && (1..=FLOWS_MAX).contains(&flows),
            "a source has 1 to {STEPS_MAX} steps, not {steps}, and 1 to {FLOWS_MAX} flows, not {flows}"
        );
        let mut ebpf = load_source(steps, flows)?;
        verify(&mut ebpf, maps::SOURCE_PROGRAM)?;
        fill(&mut ebpf, maps::SOURCE_STEPS, &script.steps)?;
        fill(&mut ebpf, maps::SOURCE_FLOWS, &script.flows)?;
        let start = Setup {
            interface,
            flows,
            ..Setup::default()
        };
        fill(&mut ebpf, maps::SOURCE_SETUP, &[start])?;
        let setup = super::maps::take(&mut ebpf, maps::SOURCE_SETUP)?;
        let filling = script.filling.clone();
        Ok(Self { ebpf, setup, filling })
    }

    /// Sends `count` frames, and returns when all are made: how long that took from the first one on, without the time in
    /// which the kernel sets up a run. With an interval (nanoseconds) each is made so long after the one before; from 10
    /// microseconds down the source keeps to it, longer ones it may fall short of.
    ///
    /// # Errors
    /// [`KernelError::TestRun`].
    pub fn send(&mut self, count: u32, interval_ns: Option<u64>) -> Result<Duration, KernelError> {
        let mut setup = self.read()?;
        setup.interval_ns = interval_ns.unwrap_or(0);
        setup.began_ns = 0;
        let write = self.setup.set(0, setup, 0);
        write.map_err(KernelError::map(maps::SOURCE_SETUP, "write"))?;
        let batch = if interval_ns.is_some() { PACED_BATCH } else { BATCH };
        run_live(xdp(&mut self.ebpf, maps::SOURCE_PROGRAM)?, &self.filling, count, batch)?;
        let ended_ns = clock::monotonic();
        Ok(Duration::from_nanos(ended_ns.saturating_sub(self.read()?.began_ns)))
    }

    /// How many frames were made so far. Not all of them need have arrived: an interface may drop what it sends.
    ///
    /// # Errors
    /// The map cannot be read.
    pub fn made(&self) -> Result<u64, KernelError> {
        Ok(self.read()?.made)
    }

    fn read(&self) -> Result<Setup, KernelError> {
        let setup = self.setup.get(&0, 0);
        setup.map_err(KernelError::map(maps::SOURCE_SETUP, "read"))
    }
}

fn fill<T: aya::Pod>(ebpf: &mut Ebpf, name: &'static str, values: &[T]) -> Result<(), KernelError> {
    let map = ebpf.map_mut(name).ok_or_else(|| KernelError::BadObject {
        reason: format!("it has no map {name}"),
    })?;
    let mut table: Array<_, T> = map.try_into().map_err(KernelError::map(name, "open"))?;
    for (index, value) in (0..).zip(values) {
        table.set(index, value, 0).map_err(KernelError::map(name, "write"))?;
    }
    Ok(())
}
