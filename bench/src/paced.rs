//! At given rates: the highest one without loss, what is lost above it, and latency below it.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::measure::{Bench, Load};
use crate::peers::{Latency, Peer};
use crate::plan::{Extent, Pace, Plan};
use crate::report::{Round, Row};

/// Shares of the highest rate without loss at which latency is measured.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 0.9];

/// What a peer does at given rates.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Paced {
    /// The highest rate that was tried and lost nothing, packets per second; absent when every one lost some.
    pub(crate) lossless_per_second: Option<f64>,
    /// All rates that were tried on the way, and the unpaced rounds, by rate.
    pub(crate) tried: Vec<Tried>,
    /// Latency at shares of the lossless rate, where the peer measures it.
    pub(crate) loaded: Vec<Loaded>,
}

/// A rate, and what was lost at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Tried {
    pub(crate) offered_per_second: f64,
    /// Lost by the peer and by the sender, packets.
    pub(crate) lost: u64,
    /// Of what was offered.
    pub(crate) lost_share: f64,
}

impl Tried {
    fn of(round: &Round) -> Self {
        let lost = round.lost + round.dropped_by_sender;
        Self {
            offered_per_second: round.offered_per_second,
            lost,
            lost_share: lost as f64 / round.offered as f64,
        }
    }
}

/// Latency at a rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Loaded {
    /// Of the lossless rate.
    pub(crate) share: f64,
    pub(crate) offered_per_second: f64,
    /// Packets lost.
    pub(crate) lost: u64,
    /// From the XDP program to the output's buffer.
    pub(crate) latency_ns: Latency,
}

/// Searches for a peer's highest lossless rate, and measures its latency below.
///
/// # Errors
/// When the peer fails.
pub(crate) fn explore(plan: &Plan, bench: &Bench<'_>, row: &Row) -> Result<Option<Paced>> {
    if !is_explored(plan, row.peer_is) {
        return Ok(None);
    }
    let at = At {
        plan,
        bench,
        peer: row.peer_is,
    };
    let mut paced = Paced {
        tried: row.rounds.iter().map(Tried::of).collect(),
        ..Paced::default()
    };
    paced.lossless_per_second = at.search(&mut paced.tried)?;
    paced
        .tried
        .sort_by(|one, other| one.offered_per_second.total_cmp(&other.offered_per_second));
    if let Some(lossless) = paced.lossless_per_second {
        paced.loaded = at.latency(lossless)?;
    }
    Ok(Some(paced))
}

/// The appliance as it comes, and in a long run all that write.
fn is_explored(plan: &Plan, peer: Peer) -> bool {
    match peer {
        Peer::Trim { mode: _, body_cut } => body_cut && (plan.extent == Extent::Full || peer == Peer::APPLIANCE),
        Peer::Sniffer(_) => plan.extent == Extent::Full,
        Peer::Bare | Peer::Drop => false,
    }
}

/// A peer under a pace.
struct At<'a> {
    plan: &'a Plan,
    bench: &'a Bench<'a>,
    peer: Peer,
}

impl At<'_> {
    /// Halves the distance between a rate that loses and one that does not. Nothing was lost unpaced: that rate is it.
    fn search(&self, tried: &mut Vec<Tried>) -> Result<Option<f64>> {
        let unpaced = tried.iter().map(|tried| tried.offered_per_second);
        let fastest = unpaced.fold(f64::NAN, f64::min);
        if tried.iter().all(|tried| tried.lost == 0) {
            return Ok(Some(fastest));
        }
        let Pace { steps, .. } = self.plan.pace;
        let (mut lossless, mut losing) = (None, fastest);
        for _ in 0..steps {
            let rate = f64::midpoint(lossless.unwrap_or(0.0), losing);
            let (tried_now, _) = self.run(rate)?;
            tried.push(tried_now);
            if tried_now.lost == 0 {
                lossless = Some(rate);
            } else {
                losing = rate;
            }
        }
        Ok(lossless)
    }

    fn latency(&self, lossless: f64) -> Result<Vec<Loaded>> {
        let mut loaded = Vec::new();
        for share in SHARES {
            let (tried, latency) = self.run(share * lossless)?;
            if let Some(latency_ns) = latency {
                loaded.push(Loaded {
                    share,
                    offered_per_second: tried.offered_per_second,
                    lost: tried.lost,
                    latency_ns,
                });
            }
        }
        Ok(loaded)
    }

    fn run(&self, rate: f64) -> Result<(Tried, Option<Latency>)> {
        let Plan { traffic, pace, .. } = self.plan;
        let shape = traffic.shape((rate * pace.seconds) as u32);
        let load = Load {
            traffic,
            shape: &shape,
            interval_ns: Some((1e9 / rate) as u64),
            is_examined: false,
        };
        let name = self.peer.name();
        let round = self
            .bench
            .measure(self.peer, load)
            .with_context(|| format!("{name} failed at {rate:.0} packets a second"))?;
        eprintln!("bench: {}, {name}, paced: {round}", self.plan.name);
        Ok((Tried::of(&round), round.latency_ns))
    }
}
