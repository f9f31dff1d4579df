//! How much of each scenario is measured, and on whom.

use anyhow::{Result, ensure};

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
    pub(crate) is_quick: bool,
    /// At given rates: how long one is kept up, seconds, and how often the highest one without loss is approached.
    pub(crate) pace: Pace,
}

/// How rates are searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pace {
    pub(crate) seconds: f64,
    pub(crate) steps: u32,
}

impl Plan {
    /// Quick, all scenarios take less than five minutes.
    pub(crate) fn of(scenario: Scenario, is_quick: bool) -> Self {
        let (traffic, peers) = match scenario {
            Scenario::Bulk => (bulk(64), Peer::ALL.as_slice()),
            Scenario::Web => (web(2000), &Peer::WHOLE[..]),
            Scenario::Api => (api(20_000), &Peer::WHOLE[..]),
            Scenario::Tiny => (tiny(4000), &Peer::WHOLE[..]),
            Scenario::Hostile => (hostile(4000), &Peer::WHOLE[..]),
        };
        Self {
            name: scenario.name(),
            traffic,
            frames: if is_quick { 1_200_000 } else { 3_000_000 },
            peers: peers.to_vec(),
            rounds: if is_quick { 3 } else { 7 },
            is_quick,
            pace: Pace {
                seconds: if is_quick { 0.5 } else { 2.0 },
                steps: if is_quick { 3 } else { 6 },
            },
        }
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
