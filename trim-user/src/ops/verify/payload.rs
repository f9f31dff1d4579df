//! One payload before and after trimming.

use super::report::{Fault, Report};
use super::truth::{Kind, Span};

/// What was found in one payload, bytes by verdict.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    header_lost: u64,
    body_leaked: u64,
    altered: u64,
    secrets: u64,
    not_http: u64,
}

impl Tally {
    /// The faults, with particulars.
    pub(super) fn faults(&self) -> impl Iterator<Item = (Fault, String)> {
        let bytes = |count: u64| format!("{count} bytes");
        [
            (Fault::HeaderLost, self.header_lost),
            (Fault::BodyLeaked, self.body_leaked),
            (Fault::Altered, self.altered),
            (Fault::SecretLeaked, self.secrets),
            (Fault::NotHttp, self.not_http),
        ]
        .into_iter()
        .filter(|&(_, count)| count > 0)
        .map(move |(fault, count)| (fault, bytes(count)))
    }
}

/// How the pair is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// First bytes of each message's content that may stay.
    pub(super) body_keep: u64,
    /// The trimmed capture lacks packets of this flow, so that body bytes may have been kept in doubt.
    pub(super) is_gappy: bool,
    /// Header fields are redacted, so that bytes of unknown kind may be overwritten with one and the same byte.
    pub(super) may_overwrite: bool,
}

/// Judges the payload `new` against `old`, whose bytes are what `spans` say; counts into `report`.
pub(super) fn judge(old: &[u8], new: &[u8], spans: &[Span], terms: Terms, report: &mut Report) -> Tally {
    let mut tally = Tally::default();
    for span in spans {
        let before = &old[span.start..span.end];
        let after = new.get(span.start..span.end.min(new.len())).unwrap_or(&[]);
        match span.kind {
            Kind::Header | Kind::Trailer => header(before, after, report, &mut tally),
            Kind::Secret => secret(before, after, report, &mut tally),
            Kind::Body => body(span, before, after, terms, report, &mut tally),
            Kind::Blank | Kind::Framing => {
                let (kept, altered) = free(before, after);
                report.framing.kept += kept;
                report.framing.removed += before.len() as u64 - kept;
                tally.altered += altered;
            }
            Kind::Opaque => {
                let (kept, altered) = free(before, after);
                report.opaque.kept += kept;
                report.opaque.removed += before.len() as u64 - kept;
                let is_redaction = terms.may_overwrite && is_one_byte(before, after);
                tally.altered += if is_redaction { 0 } else { altered };
            }
            Kind::NotHttp => {
                let kept = equal(before, after);
                report.not_http.kept += kept;
                report.not_http.removed += before.len() as u64 - kept;
                tally.not_http += before.len() as u64 - kept;
            }
        }
    }
    tally
}

fn equal(before: &[u8], after: &[u8]) -> u64 {
    before.iter().zip(after).filter(|(old, new)| old == new).count() as u64
}

fn header(before: &[u8], after: &[u8], report: &mut Report, tally: &mut Tally) {
    let kept = equal(before, after);
    report.header.kept += kept;
    report.header.lost += before.len() as u64 - kept;
    tally.header_lost += before.len() as u64 - kept;
}

/// Bytes that may stay or go: how many stayed, and how many became something else than zero.
fn free(before: &[u8], after: &[u8]) -> (u64, u64) {
    let mut kept = 0;
    let mut altered = 0;
    for (old, new) in before.iter().zip(after) {
        kept += u64::from(old == new);
        altered += u64::from(old != new && *new != 0);
    }
    (kept, altered)
}

/// Whether all bytes that became something else than zero became the same.
fn is_one_byte(before: &[u8], after: &[u8]) -> bool {
    let pairs = before.iter().zip(after);
    let mut new = pairs.filter(|(old, new)| old != new && **new != 0).map(|(_, new)| new);
    let first = new.next();
    new.all(|byte| Some(byte) == first)
}

fn body(span: &Span, before: &[u8], after: &[u8], terms: Terms, report: &mut Report, tally: &mut Tally) {
    let free_bytes = terms
        .body_keep
        .saturating_sub(span.content_offset)
        .min(before.len() as u64) as usize;
    for (index, &old) in before.iter().enumerate() {
        let bytes = &mut report.body;
        match after.get(index) {
            None => bytes.gone += 1,
            Some(&new) if index < free_bytes && new == old => bytes.kept += 1,
            Some(0) => bytes.zero += 1,
            Some(&new) if new != old => {
                bytes.altered += 1;
                tally.altered += 1;
            }
            Some(_) if terms.is_gappy => bytes.unsure += 1,
            Some(_) => {
                bytes.leaked += 1;
                tally.body_leaked += 1;
            }
        }
    }
}

/// A value counts as overwritten when all of it but white space became one and the same byte.
fn secret(before: &[u8], after: &[u8], report: &mut Report, tally: &mut Tally) {
    let is_space = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let fill = before
        .iter()
        .zip(after)
        .find(|(old, _)| !is_space(**old))
        .map(|(_, new)| *new);
    for (index, &old) in before.iter().enumerate() {
        match after.get(index) {
            None => {
                report.header.lost += 1;
                tally.header_lost += 1;
            }
            Some(&new) if Some(new) == fill || (is_space(old) && new == old) => report.redacted.overwritten += 1,
            Some(_) => {
                report.redacted.readable += 1;
                tally.secrets += 1;
            }
        }
    }
}
