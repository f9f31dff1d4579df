//! The parser that program and twin share, against frames whose content is known.

use trim_common::flow::Direction;
use trim_common::headers::{Content, dissect};

use crate::frames::{Expected, Frame, Random};

fn content_of(expected: Expected) -> Content {
    match expected {
        Expected::Tcp => Content::Tcp,
        Expected::Fragment => Content::Fragment,
        Expected::NotTcp => Content::NotTcp,
        Expected::Encapsulated => Content::Encapsulated,
        Expected::TooDeep => Content::TooDeep,
    }
}

#[test]
fn whatever_is_put_into_a_frame_is_found_at_its_place() {
    let mut random = Random(1);
    let mut segments = 0;
    for _ in 0..50_000 {
        let frame = Frame::any(&mut random);
        let made = frame.make();
        let found = dissect(made.bytes.as_slice());
        assert_eq!(found.content, content_of(frame.expected(&made)), "{frame:?}");
        if found.content != Content::Tcp {
            continue;
        }
        segments += 1;
        let tcp = found.tcp;
        let places = [tcp.l3_offset, tcp.l4_offset, tcp.payload_offset].map(usize::from);
        assert_eq!(places, [made.l3, made.l4, made.payload], "{frame:?}");
        let rest = if frame.open_length { frame.padding } else { 0 };
        assert_eq!(tcp.payload_length as usize, frame.payload.len() + rest, "{frame:?}");
        assert_eq!((tcp.tcp_flags, tcp.sequence), (frame.tcp_flags, frame.sequence));
        let ends = [frame.source.1, frame.destination.1];
        let found_ends = match tcp.direction {
            Direction::Up => [tcp.key.low_port, tcp.key.high_port],
            Direction::Down => [tcp.key.high_port, tcp.key.low_port],
        };
        assert_eq!(found_ends, ends, "{frame:?}");
    }
    assert!(
        segments > 20_000,
        "only {segments} segments: the generator has lost its way"
    );
}

#[test]
fn both_directions_of_a_flow_have_one_key_and_one_hash() {
    let mut random = Random(2);
    for _ in 0..5_000 {
        let frame = Frame::any(&mut random);
        let there = dissect(frame.make().bytes.as_slice());
        let back = dissect(frame.reply(0x10, b"").make().bytes.as_slice());
        if there.content == Content::Tcp && frame.source != frame.destination {
            assert_eq!(there.tcp.key, back.tcp.key);
            assert_eq!(there.tcp.key.hash(9), back.tcp.key.hash(9));
            assert_ne!(there.tcp.direction, back.tcp.direction);
        }
    }
}

#[test]
fn a_frame_cut_within_its_headers_is_truncated() {
    let mut random = Random(3);
    for _ in 0..500 {
        let frame = Frame::any(&mut random);
        let made = frame.make();
        if frame.expected(&made) != Expected::Tcp {
            continue;
        }
        for length in 0..made.payload {
            let found = dissect(&made.bytes[..length]);
            assert_eq!(found.content, Content::Truncated, "{length} bytes of {frame:?}");
        }
    }
}
