//! Trims a case with a worker, as a capture would be trimmed, and looks at every byte that comes out.

use super::cases::Case;
use super::frame::{self, HEADERS};
use super::script::Sent;
use crate::data::Record;
use crate::data::worker::{HoldLimits, MakeTrimmer, Output, Worker};
use crate::packet::LinkType;
use crate::trimmer::{Action, Fate};

#[derive(Default)]
struct Collected(Vec<(u64, u32, Vec<u8>)>);

impl Output for Collected {
    fn store(&mut self, _lane: usize, record: Record<'_>) {
        self.0
            .push((record.time_ns, record.original_length, record.data.to_vec()));
    }
}

/// What is wrong with what a trimmer makes of a case. `strict` asks that every body byte goes.
pub(super) fn judge(case: &Case, make: MakeTrimmer, strict: bool) -> Result<(), String> {
    let mut worker = Worker::new(vec![make], case.policy, HoldLimits::OFFLINE);
    let (mut out, mut frames) = (Collected::default(), Vec::new());
    for (index, sent) in case.script.sent.iter().enumerate() {
        let (bytes, wire) = frame::frame(&case.script, sent);
        let record = Record {
            interface: 0,
            time_ns: 1_000_000_000 + index as u64 * 1000,
            original_length: wire,
            data: &bytes,
        };
        worker.packet(0, LinkType::ETHERNET, &record, &mut out);
        frames.push((record.time_ns, wire, bytes));
    }
    worker.finish(&mut out);
    if worker.counts(0).panics > 0 {
        return Err("the trimmer panicked".to_owned());
    }
    if out.0.len() != frames.len() {
        return Err(format!("expected {} packets, got {}", frames.len(), out.0.len()));
    }
    for (index, sent) in case.script.sent.iter().enumerate() {
        let (before, after) = (&frames[index], &out.0[index]);
        if (before.0, before.1) != (after.0, after.1) {
            return Err(format!("packet {}: its time or length on the wire changed", index + 1));
        }
        packet(case, sent, &before.2, &after.2, strict).map_err(|fault| format!("packet {}: {fault}", index + 1))?;
    }
    Ok(())
}

fn packet(case: &Case, sent: &Sent, before: &[u8], after: &[u8], strict: bool) -> Result<(), String> {
    let masks = case.policy.action == Action::Mask;
    if masks && after.len() != before.len() {
        return Err(format!("expected {} bytes, got {}", before.len(), after.len()));
    }
    if masks && sent.captured == sent.to - sent.from && !frame::is_checksum_right(after) {
        return Err("expected a right TCP checksum, got a wrong one".to_owned());
    }
    let checksum = HEADERS - 4..HEADERS - 2;
    let same = |at: usize| (masks && checksum.contains(&at)) || after.get(at) == before.get(at);
    if !(0..HEADERS).all(same) {
        return Err("expected the headers below HTTP as they were, got others".to_owned());
    }
    for at in 0..sent.captured {
        let fate = case.script.fates[sent.side.index()][sent.from + at];
        let (was, is) = (before[HEADERS + at], after.get(HEADERS + at).copied());
        let (good, expected) = match fate {
            Fate::Keep => (is == Some(was), "kept"),
            Fate::Overwrite => (is == Some(b'x'), "overwritten"),
            Fate::Remove => (is.is_none_or(|byte| byte == 0) || (!strict && is == Some(was)), "cut"),
        };
        if !good {
            return Err(complaint(sent, at, before, is, expected));
        }
    }
    Ok(())
}

fn complaint(sent: &Sent, at: usize, before: &[u8], is: Option<u8>, expected: &str) -> String {
    let got = match is {
        None => "cut",
        Some(0) => "zeroed",
        Some(byte) if byte == before[HEADERS + at] => "kept",
        Some(_) => "changed",
    };
    let text = &before[HEADERS + at..before.len().min(HEADERS + at + 24)];
    format!(
        "{:?} byte {} (payload byte {at}): expected {expected}, got {got}: \"{}\"",
        sent.side,
        sent.from + at,
        text.escape_ascii()
    )
}
