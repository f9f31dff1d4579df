//! How much of each scenario is measured, and on whom.

use anyhow::{Result, ensure};
use serde::Serialize;

use crate::Scenario;
use crate::peers::Peer;
use crate::traffic::{Traffic, api, bulk, hostile, tiny, web};

/// What is measured in a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) traffic: Traffic,
    /// Frames of a round, after those that open flows.
    pub(crate) frames: u32,
    pub(crate) peers: Vec<Peer>,
    pub(crate) rounds: usize,
    pub(crate) extent: Extent,
    /// At given rates: how long one is kept up, seconds, and how often the highest one without loss is approached.
    pub(crate) pace: Pace,
}

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Extent {
    /// Whether it all works: the figures mean nothing.
    Smoke,
    /// Less than five minutes.
    Quick,
    /// Longer rounds, more of them, and rates of everyone.
    Full,
}

/// How rates are searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    pub(crate) seconds: f64,
    pub(crate) steps: u32,
}

impl Plan {
    /// `None` for scenarios without live traffic.
    pub(crate) fn of(scenario: Scenario, extent: Extent) -> Option<Self> {
        let (traffic, peers) = match scenario {
            Scenario::Bulk => (bulk(64), Peer::ALL.as_slice()),
            Scenario::Web => (web(2000), &Peer::WHOLE[..]),
            Scenario::Api => (api(20_000), &Peer::WHOLE[..]),
            Scenario::Tiny => (tiny(4000), &Peer::WHOLE[..]),
            Scenario::Hostile => (hostile(4000), &Peer::WHOLE[..]),
            Scenario::Offline | Scenario::Trimmers => return None,
        };
        let peers = if extent == Extent::Smoke { &Peer::FEW[..] } else { peers };
        let (frames, rounds, seconds, steps) = match extent {
            Extent::Smoke => (60_000, 1, 0.1, 1),
            Extent::Quick => (1_200_000, 3, 0.5, 3),
            Extent::Full => (3_000_000, 7, 2.0, 6),
        };
        Some(Self {
            name: scenario.name(),
            traffic,
            frames,
            peers: peers.to_vec(),
            rounds,
            extent,
            pace: Pace { seconds, steps },
        })
    }

    /// The same, with those peers only whose names contain one of `names`; all when there are none.
    ///
    /// # Errors
    /// When no peer of the scenario has such a name.
    pub(crate) fn only(mut self, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(self);
        }
        let all: Vec<_> = self.peers.iter().map(|peer| peer.name()).collect();
        self.peers
            .retain(|peer| names.iter().any(|name| peer.name().contains(name.as_str())));
        ensure!(
            !self.peers.is_empty(),
            "no peer of this scenario is called {}: there are {}",
            names.join(" or "),
            all.join(", ")
        );
        Ok(self)
    }
}
