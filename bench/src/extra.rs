//! What is asked of the appliance alone: how fast it switches under load, and how much memory very many flows take.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;
use trim_common::strategy::Mode;

use crate::measure::{Bench, Load};
use crate::peers::{Peer, Receiving};
use crate::plan::Plan;
use crate::report::Row;
use crate::traffic::api;

/// Memory with many connections.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct ManyFlows {
    /// How many were open at once.
    pub(crate) flows: u32,
    /// Most memory that was resident, bytes; the pool of frames is part of it.
    pub(crate) peak_resident_bytes: u64,
}

const MANY: u32 = 100_000;
/// Frames of each connection: its handshake and a call with its answer.
const FRAMES_EACH: u32 = 6;
const SWITCHES: usize = 10;
const BETWEEN_SWITCHES: Duration = Duration::from_millis(100);

/// Switches to and fro at half of the rate that the appliance can take without loss.
///
/// # Errors
/// When the appliance fails.
pub(crate) fn switches(plan: &Plan, bench: &Bench<'_>, rows: &[Row]) -> Result<Vec<f64>> {
    let row = rows.iter().find(|row| row.peer_is == Peer::APPLIANCE);
    let lossless = row.and_then(|row| row.paced.as_ref()?.lossless_per_second);
    let (Some(rate), "bulk") = (lossless.map(|rate| rate / 2.0), plan.name) else {
        return Ok(Vec::new());
    };
    let seconds = BETWEEN_SWITCHES.as_secs_f64() * (SWITCHES + 2) as f64;
    let shape = plan.traffic.shape((rate * seconds) as u32);
    let load = Load {
        traffic: &plan.traffic,
        shape: &shape,
        interval_ns: Some((1e9 / rate) as u64),
        is_examined: false,
    };
    let (round, switches) = bench
        .measure_and(Peer::APPLIANCE, load, to_and_fro)
        .context("switching under load failed")?;
    eprintln!(
        "bench: bulk, {SWITCHES} switches under load: {round}, lost {}",
        round.lost
    );
    Ok(switches)
}

fn to_and_fro(receiving: &dyn Receiving) -> Result<Vec<f64>> {
    let mut taken = Vec::new();
    for number in 0..SWITCHES {
        std::thread::sleep(BETWEEN_SWITCHES);
        let to = [Mode::Scanning, Mode::Legacy][number % 2];
        taken.extend(receiving.switch(to)?);
    }
    Ok(taken)
}

/// Opens very many connections, each with a call.
///
/// # Errors
/// When the appliance fails.
pub(crate) fn many_flows(plan: &Plan, bench: &Bench<'_>) -> Result<Option<ManyFlows>> {
    if plan.name != "api" || !plan.peers.contains(&Peer::APPLIANCE) {
        return Ok(None);
    }
    let traffic = api(MANY);
    let shape = traffic.shape(MANY * FRAMES_EACH);
    let load = Load {
        traffic: &traffic,
        shape: &shape,
        interval_ns: Some(2000),
        is_examined: false,
    };
    let round = bench
        .measure(Peer::APPLIANCE, load)
        .context("the run with very many flows failed")?;
    eprintln!("bench: api, {MANY} flows: {round}, lost {}", round.lost);
    Ok(round.taken.map(|taken| ManyFlows {
        flows: MANY,
        peak_resident_bytes: taken.peak_resident_bytes,
    }))
}
