//! Damages to trimmed captures, which every judge has to see.

#![allow(clippy::ptr_arg, reason = "all damages have one signature, and some remove a frame")]

use super::capture::Frame;
use super::perfect;
use super::rng::Rng;
use trim_user::ops::verify::Fault;

/// Something done to a well trimmed capture.
pub type Damage = fn(&[Frame], &mut Vec<Frame>, &mut Rng);

/// Every damage, with the fault that has to be named.
pub const DAMAGES: [(Damage, Fault); 13] = [
    (flip_header_byte, Fault::HeaderLost),
    (cut_header, Fault::HeaderLost),
    (leave_body, Fault::BodyLeaked),
    (leave_body_byte_between, Fault::BodyLeaked),
    (alter_zero, Fault::Altered),
    (drop_packet, Fault::Missing),
    (repeat_packet, Fault::Surplus),
    (swap_packets, Fault::Time),
    (change_time, Fault::Time),
    (change_sequence, Fault::Headers),
    (break_checksum, Fault::Checksum),
    (change_ttl, Fault::Headers),
    (forget_wire_length, Fault::OriginalLength),
];

/// Index of a frame whose payload, in the original and as trimmed, has something in it that `fits`, and where. What pads a
/// short frame is no payload.
fn find(
    original: &[Frame],
    trimmed: &[Frame],
    rng: &mut Rng,
    fits: impl Fn(&[u8], &[u8]) -> Option<usize>,
) -> (usize, usize) {
    let start = rng.below(original.len());
    (0..original.len())
        .map(|step| (start + step) % original.len())
        .find_map(|index| {
            let layout = perfect::layout(&original[index])?;
            let (offset, end) = (layout.payload_offset as usize, layout.payload_end as usize);
            let new = trimmed[index].bytes.get(offset..)?;
            let new = &new[..new.len().min(end - offset)];
            Some((index, offset + fits(&original[index].bytes[offset..end], new)?))
        })
        .expect("the capture has what the damage needs")
}

fn flip_header_byte(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |_, new| {
        new.starts_with(b"HTTP/1.").then_some(2)
    });
    trimmed[index].bytes[at] ^= 0x20;
}

fn cut_header(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |_, new| {
        (new.starts_with(b"HTTP/1.") && new.len() > 9).then_some(9)
    });
    trimmed[index].bytes.truncate(at);
}

fn leave_body(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |old, new| {
        let gone = old.get(new.len()..).filter(|_| !old.is_empty())?;
        (gone.iter().any(|&byte| byte != 0) && new.len() < old.len()).then_some(new.len())
    });
    trimmed[index].bytes.extend_from_slice(&original[index].bytes[at..]);
}

fn leave_body_byte_between(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |old, new| {
        old.iter().zip(new).position(|(&old, &new)| old != new && new == 0)
    });
    trimmed[index].bytes[at] = original[index].bytes[at];
}

fn alter_zero(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |old, new| {
        old.iter()
            .zip(new)
            .position(|(&old, &new)| old != new && new == 0 && old != b'?')
    });
    trimmed[index].bytes[at] = b'?';
}

fn drop_packet(_: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    trimmed.remove(rng.below(trimmed.len()));
}

fn repeat_packet(_: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let index = rng.below(trimmed.len());
    trimmed.insert(index, trimmed[index].clone());
}

fn swap_packets(_: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let index = rng.below(trimmed.len() - 1);
    trimmed.swap(index, index + 1);
}

fn change_time(_: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let index = rng.below(trimmed.len());
    trimmed[index].time += 1;
}

fn change_sequence(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |_, new| {
        new.starts_with(b"HTTP/1.").then_some(0)
    });
    let tcp = perfect::layout(&original[index]).map_or(at, |layout| layout.l4_offset as usize);
    trimmed[index].bytes[tcp + 7] ^= 1;
}

fn break_checksum(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |_, new| {
        new.starts_with(b"HTTP/1.").then_some(0)
    });
    let tcp = perfect::layout(&original[index]).map_or(at, |layout| layout.l4_offset as usize);
    trimmed[index].bytes[tcp + 16] ^= 0x55;
}

fn change_ttl(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, at) = find(original, trimmed, rng, |_, new| {
        new.starts_with(b"HTTP/1.").then_some(0)
    });
    let ip = perfect::layout(&original[index]).map_or(at, |layout| layout.l3_offset as usize);
    trimmed[index].bytes[ip + 8] ^= 1;
}

fn forget_wire_length(original: &[Frame], trimmed: &mut Vec<Frame>, rng: &mut Rng) {
    let (index, _) = find(original, trimmed, rng, |old, new| {
        (new.len() + 10 < old.len()).then_some(0)
    });
    trimmed[index].wire_length += 3;
}
