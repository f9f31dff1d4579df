//! Holds a trimmer against the truth.

use std::collections::BTreeMap;
use std::env;

use crate::trimmer::{Judgement, Label, Labels, Late, Ticket, Trimmer};

use super::demand::{Demand, Demands, Standard};
use super::labelled::Truth;
use super::recipe::Quirk;
use super::rng::Rng;
use super::wire::{Case, Packet};

/// Labels of every packet, one per payload byte.
pub type Answers = Vec<Vec<Label>>;

#[derive(Default)]
struct Inbox {
    decided: BTreeMap<u64, Vec<Label>>,
    complaint: Option<String>,
    /// `TRIM_TRACE` is set: print what the trimmer is shown and what it answers.
    trace: bool,
}

impl Inbox {
    fn new() -> Self {
        Self {
            trace: env::var_os("TRIM_TRACE").is_some(),
            ..Self::default()
        }
    }

    fn put(&mut self, ticket: Ticket, labels: &Labels) {
        if self.trace {
            println!("  packet {} is {:?}", ticket.0, labels.iter().collect::<Vec<_>>());
        }
        let bytes = labels
            .iter()
            .flat_map(|(start, end, label)| (start..end).map(move |_| label));
        if self.decided.insert(ticket.0, bytes.collect()).is_some() {
            self.complaint
                .get_or_insert(format!("packet {} was decided twice", ticket.0));
        }
    }
}

impl Late for Inbox {
    fn decide(&mut self, ticket: Ticket, labels: &Labels) {
        self.put(ticket, labels);
    }
}

/// When held packets are wanted back before the trimmer is ready.
pub enum Patience {
    /// Never.
    Endless,
    /// At moments that this generator picks.
    Random(Rng),
}

/// Shows every packet of a case to a trimmer. An error when a ticket is not decided exactly once, or when labels do
/// not tile the payload.
pub fn run(trimmer: &mut dyn Trimmer, case: &Case, mut patience: Patience) -> Result<Answers, String> {
    let mut inbox = Inbox::new();
    let mut labels = Labels::new();
    for (index, packet) in case.packets.iter().enumerate() {
        let ticket = Ticket(index as u64);
        if inbox.trace {
            println!("{index}: {packet}");
        }
        if trimmer.judge(ticket, &case.segment(packet), &mut labels, &mut inbox) == Judgement::Decided {
            inbox.put(ticket, &labels);
        }
        if let Patience::Random(rng) = &mut patience
            && rng.chance(20)
        {
            let wanted = Ticket(rng.below(index + 1) as u64);
            if inbox.trace {
                println!("packet {} is wanted back", wanted.0);
            }
            trimmer.release(wanted, &mut inbox);
            if !inbox.decided.contains_key(&wanted.0) {
                return Err(format!("packet {} was released and is not decided", wanted.0));
            }
        }
    }
    trimmer.finish(&mut inbox);
    collect(inbox, case)
}

/// Shows the packets of several cases to one trimmer, interleaved. The answers of each case.
pub fn run_together(trimmer: &mut dyn Trimmer, cases: &[Case]) -> Result<Vec<Answers>, String> {
    let mut inbox = Inbox::new();
    let mut labels = Labels::new();
    let mut next = vec![0; cases.len()];
    let mut rng = Rng::new(cases.len() as u64);
    let ticket = |case: usize, packet: usize| Ticket((case as u64) << 32 | packet as u64);
    while let Some(open) = pick_open(&mut rng, cases, &next) {
        let packet = &cases[open].packets[next[open]];
        let ticket = ticket(open, next[open]);
        next[open] += 1;
        if trimmer.judge(ticket, &cases[open].segment(packet), &mut labels, &mut inbox) == Judgement::Decided {
            inbox.put(ticket, &labels);
        }
    }
    trimmer.finish(&mut inbox);
    let mut answers = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let first = ticket(index, 0).0;
        let mine = inbox.decided.range(first..first + (1 << 32));
        let decided = mine.map(|(ticket, labels)| (ticket - first, labels.clone())).collect();
        let complaint = inbox.complaint.clone();
        answers.push(collect(
            Inbox {
                decided,
                complaint,
                trace: false,
            },
            case,
        )?);
    }
    Ok(answers)
}

fn pick_open(rng: &mut Rng, cases: &[Case], next: &[usize]) -> Option<usize> {
    let open: Vec<_> = (0..cases.len())
        .filter(|&index| next[index] < cases[index].packets.len())
        .collect();
    (!open.is_empty()).then(|| rng.pick(&open))
}

fn collect(inbox: Inbox, case: &Case) -> Result<Answers, String> {
    if let Some(complaint) = inbox.complaint {
        return Err(complaint);
    }
    let mut answers = Vec::new();
    for (index, packet) in case.packets.iter().enumerate() {
        let labels = inbox.decided.get(&(index as u64));
        let labels = labels.ok_or_else(|| format!("packet {index} was never decided"))?;
        if labels.len() != packet.payload.len() {
            let (has, needs) = (labels.len(), packet.payload.len());
            return Err(format!("labels of packet {index} cover {has} of {needs} bytes"));
        }
        answers.push(labels.clone());
    }
    Ok(answers)
}

/// What became of the bytes whose fate is demanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Demanded to stay, and still there.
    pub kept: u64,
    /// Demanded to go, and gone.
    pub cut: u64,
    /// Demanded to go, and still there.
    pub leaked: u64,
}

impl Tally {
    /// Adds the bytes of another case.
    pub fn add(&mut self, other: Self) {
        self.kept += other.kept;
        self.cut += other.cut;
        self.leaked += other.leaked;
    }

    /// Share of body bytes that went, 1 when there were none.
    pub fn share_cut(&self) -> f64 {
        let all = self.cut + self.leaked;
        if all == 0 { 1.0 } else { self.cut as f64 / all as f64 }
    }
}

fn goes(label: Label) -> bool {
    label == Label::Body
}

/// Compares labels with the demands. An error when a byte that must stay goes, or, with `exact`, when one that must go
/// stays.
pub fn compare(case: &Case, answers: &Answers, standard: Standard, exact: bool) -> Result<Tally, String> {
    let count = case.dialogues.len();
    let demands: Vec<_> = (0..count).map(|index| Demands::of(case, index, standard)).collect();
    let mut tally = Tally::default();
    for (index, (packet, labels)) in case.packets.iter().zip(answers).enumerate() {
        for (at, &label) in labels.iter().enumerate() {
            match demands[packet.connection].for_byte(packet, at) {
                Demand::Keep if goes(label) => return Err(complain(case, index, at, label, "must stay")),
                Demand::Cut if exact && !goes(label) => return Err(complain(case, index, at, label, "must go")),
                Demand::Keep => tally.kept += 1,
                Demand::Cut if goes(label) => tally.cut += 1,
                Demand::Cut => tally.leaked += 1,
                Demand::Either => {}
            }
        }
    }
    Ok(tally)
}

fn complain(case: &Case, index: usize, at: usize, label: Label, demand: &str) -> String {
    let packet = &case.packets[index];
    let truth = truth_of(case, packet, at);
    let text = String::from_utf8_lossy(&packet.payload[at..packet.payload.len().min(at + 40)]);
    let (side, offset, length) = (packet.side, packet.offset, packet.payload.len());
    format!(
        "packet {index} ({side:?}, stream offset {offset:?}, {length} bytes), byte {at}: truth {truth:?} {demand}, \
         labelled {label:?}; there: {text:?}"
    )
}

fn truth_of(case: &Case, packet: &Packet, at: usize) -> Option<Truth> {
    let stream = &case.dialogues[packet.connection].streams[packet.side.index()];
    packet.offset.map(|offset| stream.truth[offset + at])
}

/// A whole capture's bytes under their exact names: what a trimmer that saw everything must say. `redact` tells
/// whether the fields of [`super::labelled::SECRET_FIELDS`] are redacted, `keep` how much of each body stays.
pub fn compare_names(case: &Case, answers: &Answers, redact: bool, keep: u32) -> Result<(), String> {
    let malformed = case.recipe.quirks.has(Quirk::Malformed);
    for (index, (packet, labels)) in case.packets.iter().zip(answers).enumerate() {
        let Some(offset) = packet.offset.filter(|_| packet.flags & super::wire::RST == 0) else {
            continue;
        };
        let stream = &case.dialogues[packet.connection].streams[packet.side.index()];
        for (at, &label) in labels.iter().enumerate() {
            let good = match stream.truth[offset + at] {
                Truth::Header | Truth::Blank => label == Label::Header,
                Truth::Secret if redact => label == Label::Redacted,
                Truth::SecretSpace if redact => matches!(label, Label::Redacted | Label::Header),
                Truth::Secret | Truth::SecretSpace => label == Label::Header,
                Truth::Trailer => label == Label::Trailer,
                // The line end in front of a malformed chunk-size line may be given up together with it.
                Truth::Framing if malformed => matches!(label, Label::Framing | Label::Unsure | Label::Opaque),
                Truth::Framing => label == Label::Framing,
                Truth::Body if stream.content_offset[offset + at] < keep => label == Label::BodyKept,
                Truth::Body => label == Label::Body,
                Truth::Opaque if malformed => matches!(label, Label::Opaque | Label::Unsure),
                Truth::Opaque => label == Label::Opaque,
                // The first digits of a chunk size that turns out malformed.
                Truth::Unsure => matches!(label, Label::Unsure | Label::Opaque | Label::Framing),
                // A first byte may look like the first byte of a method.
                Truth::Foreign => !matches!(label, Label::Body | Label::Redacted),
                Truth::Inside => true,
            };
            if !good && !packet.altered.contains(&at) {
                return Err(complain(case, index, at, label, "has another name"));
            }
        }
    }
    Ok(())
}
