//! What became of header and content bytes, whatever a trimmer was asked for.

use super::check::{Answers, Tally};
use super::demand::{Demand, Demands, Standard};
use super::labelled::Truth;
use super::recipe::{Quirk, Recipe};
use super::wire::Case;
use trim_user::trimmer::Label;

/// Content can look like messages, and where it does while the framing is lost nobody can be asked to know.
pub fn standard(recipe: Recipe) -> Standard {
    match recipe.quirks.has(Quirk::Lookalike) {
        true => Standard::Streaming,
        false => Standard::Reassembling,
    }
}

/// Header bytes and trailers that went, although a trimmer that reassembles would know them.
pub fn check_headers(case: &Case, answers: &Answers, standard: Standard) -> Result<(), String> {
    let count = case.dialogues.len();
    let demands: Vec<_> = (0..count).map(|index| Demands::of(case, index, standard)).collect();
    for (index, (packet, labels)) in case.packets.iter().zip(answers).enumerate() {
        let stream = &case.dialogues[packet.connection].streams[packet.side.index()];
        for (at, &label) in labels.iter().enumerate() {
            let precious = packet
                .offset
                .is_some_and(|offset| stream.truth[offset + at].is_precious());
            let wanted = demands[packet.connection].for_byte(packet, at) == Demand::Keep;
            if label == Label::Body && precious && wanted {
                return Err(format!("packet {index}, byte {at}: a header byte goes"));
            }
        }
    }
    Ok(())
}

/// All content bytes, and those of them that go.
pub fn content(case: &Case, answers: &Answers) -> Tally {
    let mut tally = Tally::default();
    for (packet, labels) in case.packets.iter().zip(answers) {
        let stream = &case.dialogues[packet.connection].streams[packet.side.index()];
        for (at, &label) in labels.iter().enumerate() {
            let is_content = packet
                .offset
                .is_some_and(|offset| stream.truth[offset + at] == Truth::Body);
            match label {
                Label::Body if is_content => tally.cut += 1,
                _ => tally.leaked += u64::from(is_content),
            }
        }
    }
    tally
}
