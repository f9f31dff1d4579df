//! One scenario: every peer gets the same frames, in alternation, several times; then at given rates.

use anyhow::{Context, Result};

use crate::extra;
use crate::machine::Machine;
use crate::measure::{Bench, Load, ensure_room};
use crate::paced;
use crate::plan::Plan;
use crate::report::{Report, Round, Row};
use crate::traffic::Shape;

/// Measures it all.
///
/// # Errors
/// When a peer fails, or memory for its output is lacking.
pub(crate) fn run(plan: &Plan, bench: &Bench<'_>) -> Result<Report> {
    let machine = Machine::look();
    let traffic = plan.traffic.shape(plan.frames);
    ensure_room(&traffic)?;
    let mut rows = side_by_side(plan, bench, &traffic)?;
    for row in &mut rows {
        row.paced = paced::explore(plan, bench, row)?;
    }
    Ok(Report {
        scenario: plan.name.to_owned(),
        extent: plan.extent,
        machine,
        cpus: bench.cpus,
        traffic,
        switches_us: extra::switches(plan, bench, &rows)?,
        many_flows: extra::many_flows(plan, bench)?,
        rows,
        targets: Vec::new(),
    })
}

/// As fast as the kernel makes frames.
fn side_by_side(plan: &Plan, bench: &Bench<'_>, shape: &Shape) -> Result<Vec<Row>> {
    let mut rounds: Vec<Vec<Round>> = plan.peers.iter().map(|_| Vec::new()).collect();
    for number in 1..=plan.rounds {
        for (peer, rounds) in plan.peers.iter().zip(&mut rounds) {
            let load = Load {
                traffic: &plan.traffic,
                shape,
                interval_ns: None,
                is_examined: number == plan.rounds,
            };
            let round = bench
                .measure(*peer, load)
                .with_context(|| format!("round {number} of {} failed", peer.name()))?;
            let (name, all) = (plan.name, plan.rounds);
            eprintln!("bench: {name}, round {number} of {all}, {}: {round}", peer.name());
            rounds.push(round);
        }
    }
    let rows = plan.peers.iter().zip(rounds);
    Ok(rows.map(|(peer, rounds)| Row::new(*peer, rounds)).collect())
}
