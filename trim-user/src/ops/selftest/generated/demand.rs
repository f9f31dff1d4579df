//! What a trimmer owes to each byte of a case, given what the capture shows of it.

use super::dialogue::Side;
use super::labelled::{Labelled, Message, Truth};
use super::recipe::Quirk;
use super::wire::{Case, Packet, RST, SYN};

/// What must become of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// It stays.
    Keep,
    /// It goes.
    Cut,
    /// The capture does not tell enough.
    Either,
}

/// How much a trimmer can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// It reassembles: order and repetition of segments make no difference.
    Reassembling,
    /// It does not: out-of-order segments may cost it the framing, as holes do.
    Streaming,
    /// It may lose the framing anywhere.
    Interrupted,
}

/// The demands for both sides' streams of one connection.
pub struct Demands {
    sides: [Vec<Demand>; 2],
}

impl Demands {
    /// Demands for connection `index` of the case.
    pub fn of(case: &Case, index: usize, standard: Standard) -> Self {
        let view = View::new(case, index, standard);
        let client = view.side(Side::Client, &Doubt::default());
        let doubt = Doubt {
            requests_lost_from: client.lost_at_message,
            pairing_matters: view.pairing_matters(),
        };
        let server = view.side(Side::Server, &doubt);
        let is_poisoned = client.poisoned || server.poisoned;
        let mut sides = [client.demands, server.demands];
        if is_poisoned {
            // A decoy taken for a message, an answer that switches protocols above all, is felt in both directions.
            for demand in sides.iter_mut().flatten().filter(|demand| **demand == Demand::Cut) {
                *demand = Demand::Either;
            }
        }
        let incomplete = view.covered.iter().flatten().any(|covered| !covered);
        if incomplete || server.first_loss.is_some() || client.first_loss.is_some() {
            // Whether a switch was accepted may not be known, so that the bytes behind it can be taken for anything.
            let streams = &case.dialogues[index].streams;
            let asked = streams[0].messages.iter().find(|message| message.asks_for_switch);
            let from = [asked.map_or(usize::MAX, |message| message.end), usize::MAX];
            for ((stream, demands), from) in streams.iter().zip(&mut sides).zip(from) {
                forgive_opaque(stream, demands, from);
            }
        }
        Self { sides }
    }

    /// The demand for payload byte `at` of `packet`.
    pub fn for_byte(&self, packet: &Packet, at: usize) -> Demand {
        match packet.offset {
            // A copy that contradicts the first one is kept, whole or in part.
            Some(_) if packet.altered.contains(&at) => Demand::Either,
            Some(offset) if packet.flags & RST == 0 => match self.sides[packet.side.index()][offset + at] {
                Demand::Cut if !packet.altered.is_empty() => Demand::Either,
                demand => demand,
            },
            _ => Demand::Either,
        }
    }
}

/// Asks for nothing in tunnels, nor that content behind `from` goes.
fn forgive_opaque(stream: &Labelled, demands: &mut [Demand], from: usize) {
    for (at, (demand, truth)) in demands.iter_mut().zip(&stream.truth).enumerate() {
        if *truth == Truth::Opaque || (at >= from && *demand == Demand::Cut) {
            *demand = Demand::Either;
        }
    }
}

/// What makes answers doubtful.
#[derive(Default)]
struct Doubt {
    /// Requests from this index on cannot be told for certain.
    requests_lost_from: Option<usize>,
    /// Some request's method decides how its answer is framed.
    pairing_matters: bool,
}

struct SideDemands {
    demands: Vec<Demand>,
    /// The message in which the framing was lost first.
    lost_at_message: Option<usize>,
    first_loss: Option<usize>,
    poisoned: bool,
}

struct View<'c> {
    case: &'c Case,
    index: usize,
    standard: Standard,
    covered: [Vec<bool>; 2],
    anchored: [bool; 2],
}

impl<'c> View<'c> {
    fn new(case: &'c Case, index: usize, standard: Standard) -> Self {
        let dialogue = &case.dialogues[index];
        let mut covered = [0, 1].map(|side: usize| vec![false; dialogue.streams[side].len()]);
        let mut anchored = [false; 2];
        for packet in case.packets.iter().filter(|packet| packet.connection == index) {
            anchored[packet.side.index()] |= packet.flags & SYN != 0;
            if let Some(offset) = packet.offset.filter(|_| packet.flags & RST == 0) {
                let covered = &mut covered[packet.side.index()];
                for at in (0..packet.payload.len()).filter(|at| !packet.altered.contains(at)) {
                    covered[offset + at] = true;
                }
            }
        }
        Self {
            case,
            index,
            standard,
            covered,
            anchored,
        }
    }

    fn stream(&self, side: Side) -> &'c Labelled {
        &self.case.dialogues[self.index].streams[side.index()]
    }

    fn pairing_matters(&self) -> bool {
        self.stream(Side::Client)
            .messages
            .iter()
            .any(|message| message.decides_answer)
    }

    /// Whether segments arrive in an order from which a streaming trimmer may lose its framing.
    fn is_disorderly(&self) -> bool {
        let quirks = self.case.recipe.quirks;
        let disorder = [
            Quirk::Reorder,
            Quirk::Retransmit,
            Quirk::LateDuplicates,
            Quirk::Conflict,
            Quirk::EarlyAnswer,
            Quirk::Probes,
        ];
        match self.standard {
            // Bytes behind a snaplen count as lost at once, although another copy may bring them.
            Standard::Reassembling => quirks.has(Quirk::Snaplen) && quirks.has_any(&disorder),
            Standard::Streaming => quirks.has_any(&disorder) || quirks.has_any(&Quirk::HIDING),
            Standard::Interrupted => true,
        }
    }

    /// Whether the next message start is sure to be found after a loss.
    fn is_plain(&self) -> bool {
        let disorder = [
            Quirk::Reorder,
            Quirk::Retransmit,
            Quirk::LateDuplicates,
            Quirk::Conflict,
            Quirk::EarlyAnswer,
            Quirk::Probes,
            Quirk::Snaplen,
        ];
        self.standard == Standard::Reassembling && !self.case.recipe.quirks.has_any(&disorder)
    }

    /// A captured packet starts with this message's whole start line, and its method is a well-known one: an unknown
    /// word could be the rest of another.
    fn is_recognisable(&self, side: Side, message: &Message) -> bool {
        let line = message.start_line_end - message.start;
        let bytes = &self.stream(side).bytes[message.start..];
        let known = [
            "HTTP/",
            "GET ",
            "POST ",
            "PUT ",
            "HEAD ",
            "DELETE ",
            "OPTIONS ",
            "CONNECT ",
            "PATCH ",
            "PROPFIND ",
        ];
        let is_known = known.iter().any(|word| bytes.starts_with(word.as_bytes()));
        is_known
            && self.case.packets.iter().any(|packet| {
                packet.connection == self.index
                    && packet.side == side
                    && packet.offset == Some(message.start)
                    && packet.flags & RST == 0
                    && packet.payload.len() >= line
            })
    }

    /// The first byte of the message, content aside, that is missing although something behind it was captured.
    fn first_hole(&self, side: Side, message: &Message) -> Option<usize> {
        let covered = &self.covered[side.index()];
        let last = covered.iter().rposition(|&covered| covered).map_or(0, |last| last + 1);
        let truth = &self.stream(side).truth;
        (message.lead..message.end).find(|&at| !covered[at] && truth[at] != Truth::Body && at < last)
    }

    fn side(&self, side: Side, doubt: &Doubt) -> SideDemands {
        let stream = self.stream(side);
        let mut walk = SideWalk {
            view: self,
            side,
            stream,
            demands: stream.truth.iter().map(|&truth| plain_demand(truth)).collect(),
            lost: (!self.anchored[side.index()] || self.is_disorderly()).then_some(0),
            lost_at_message: None,
            first_loss: None,
            poisoned: false,
        };
        walk.first_loss = walk.lost;
        for (index, message) in stream.messages.iter().enumerate() {
            walk.message(index, message, doubt);
        }
        let behind = stream.messages.last().map_or(0, |message| message.end);
        let is_empty = stream.messages.is_empty();
        walk.rest(behind, is_empty);
        SideDemands {
            demands: walk.demands,
            lost_at_message: walk.lost_at_message,
            first_loss: walk.first_loss,
            poisoned: walk.poisoned,
        }
    }
}

fn plain_demand(truth: Truth) -> Demand {
    match truth {
        Truth::Body => Demand::Cut,
        Truth::Framing | Truth::Blank | Truth::Inside => Demand::Either,
        _ => Demand::Keep,
    }
}

struct SideWalk<'v> {
    view: &'v View<'v>,
    side: Side,
    stream: &'v Labelled,
    demands: Vec<Demand>,
    /// Where the framing was lost, while it is.
    lost: Option<usize>,
    lost_at_message: Option<usize>,
    first_loss: Option<usize>,
    /// Something that looks like a message was met while the framing was lost: from there on anything goes.
    poisoned: bool,
}

impl SideWalk<'_> {
    fn message(&mut self, index: usize, message: &Message, doubt: &Doubt) {
        if self.lost.is_some() {
            self.lost_at_message.get_or_insert(index);
            if !self.poisoned && self.view.is_plain() && self.view.is_recognisable(self.side, message) {
                self.lost = None;
            }
        }
        if self.lost.is_none()
            && let Some(hole) = self.view.first_hole(self.side, message)
        {
            self.lost = Some(hole);
            self.first_loss.get_or_insert(hole);
            self.lost_at_message.get_or_insert(index);
        }
        let from = self.lost.map(|hole| hole.max(message.lead));
        if message.lookalike && from.is_some() {
            self.poisoned = true;
        }
        if let Some(from) = from {
            self.forgive(from, message.end);
        }
        if self.side == Side::Server && self.is_doubtful(message, doubt) {
            self.doubtful_answer(index, message, doubt);
        }
    }

    /// Whether the answer's request cannot be told for certain.
    fn is_doubtful(&self, message: &Message, doubt: &Doubt) -> bool {
        let request_lost = match (doubt.requests_lost_from, message.request) {
            (Some(from), Some(request)) => from <= request,
            (None, _) => false,
            (Some(_), None) => true,
        };
        let unsolicited = message.request.is_none() && message.lookalike;
        request_lost || unsolicited || self.lost_at_message.is_some() || self.request_is_unseen(message)
    }

    fn request_is_unseen(&self, message: &Message) -> bool {
        message.request.is_some_and(|request| {
            let request = &self.view.stream(Side::Client).messages[request];
            let covered = &self.view.covered[Side::Client.index()];
            !covered[request.start..request.header_end]
                .iter()
                .all(|&covered| covered)
        })
    }

    /// What was captured of the content up to a hole may as well be blank lines in front of the next message.
    fn shows_blank_lines_only(&self, message: &Message) -> bool {
        let covered = &self.view.covered[self.side.index()];
        let hole = (message.header_end..message.end).find(|&at| !covered[at]);
        let shown = &self.stream.bytes[message.header_end..hole.unwrap_or(message.header_end)];
        shown.iter().all(|byte| matches!(byte, b'\r' | b'\n')) && hole.is_some()
    }

    fn doubtful_answer(&mut self, index: usize, message: &Message, doubt: &Doubt) {
        if doubt.pairing_matters || self.shows_blank_lines_only(message) {
            self.forgive(message.header_end, message.end);
        }
        let next = self.stream.messages.get(index + 1);
        let covered = &self.view.covered[self.side.index()];
        let next_is_seen = next.is_some_and(|next| covered[message.end..next.start_line_end].iter().all(|&seen| seen));
        let starts_at_once = next.is_some_and(|next| next.start == message.end);
        if message.lookalike || (message.answers_head && !(next_is_seen && starts_at_once)) {
            self.poisoned = true;
            self.forgive(message.header_end, message.end);
            self.lost.get_or_insert(message.end);
            self.first_loss.get_or_insert(message.end);
        }
    }

    /// Nothing but headers is asked for in `from..to`, and not even they once poisoned.
    fn forgive(&mut self, from: usize, to: usize) {
        for at in from..to {
            let keep = self.stream.truth[at].is_precious() && !self.poisoned;
            if !keep {
                self.demands[at] = Demand::Either;
            }
        }
    }

    /// Bytes behind the last message, or of a stream without any.
    fn rest(&mut self, from: usize, no_messages: bool) {
        let quirks = self.view.case.recipe.quirks;
        if quirks.has(Quirk::Simple) && quirks.has_any(&Quirk::HIDING) {
            // An answer without a header block is known for one only by its request.
            self.forgive(0, self.stream.len());
        }
        let hole = (from..self.stream.len()).find(|&at| !self.view.covered[self.side.index()][at]);
        let lost = self.lost.is_some() || (hole.is_some() && !no_messages);
        let foreign = self.view.case.dialogues[self.view.index].foreign;
        if lost && !foreign {
            self.first_loss.get_or_insert(from);
            self.forgive(from, self.stream.len());
        }
    }
}
