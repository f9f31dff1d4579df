//! Trims frames by the plain reference framing.

use trim_user::ops::verify::truth::{Kind, Observed, spans};
use trim_user::packet::{Dissection, LinkType, TcpLayout, dissect};

use super::capture::Frame;

/// Every frame trimmed: bodies at the end of a frame gone, others zero.
pub fn trim(frames: &[Frame]) -> Vec<Frame> {
    let layouts: Vec<_> = frames.iter().map(layout).collect();
    let segments = frames.iter().zip(&layouts).filter_map(|(frame, layout)| {
        let layout = layout.as_ref()?;
        Some(Observed {
            flow: layout.flow,
            direction: layout.direction,
            sequence: layout.sequence,
            acknowledgment: layout.acknowledgment,
            flags: layout.flags,
            payload: &frame.bytes[layout.payload_offset as usize..layout.payload_end as usize],
            wire_payload: layout.wire_payload,
        })
    });
    let mut labelled = spans(&segments.collect::<Vec<_>>(), &[]).into_iter();
    let mut trimmed = frames.to_vec();
    for (frame, layout) in trimmed.iter_mut().zip(&layouts) {
        let Some(layout) = layout else { continue };
        let spans = labelled.next().unwrap_or_default();
        for span in spans.iter().filter(|span| span.kind == Kind::Body) {
            frame.bytes[layout.payload_offset as usize..][span.start..span.end].fill(0);
        }
        if spans.last().is_some_and(|span| span.kind == Kind::Body) {
            let kept = spans.iter().rfind(|span| span.kind != Kind::Body);
            let end = kept.map_or(0, |span| span.end);
            frame.bytes.truncate(layout.payload_offset as usize + end);
        }
    }
    trimmed
}

/// Where the parts of a frame's TCP segment stand.
pub fn layout(frame: &Frame) -> Option<TcpLayout> {
    match dissect(LinkType::ETHERNET, &frame.bytes, frame.wire_length as u32) {
        Dissection::Tcp(layout) => Some(layout),
        _ => None,
    }
}
