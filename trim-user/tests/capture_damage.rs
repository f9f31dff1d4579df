//! A damaged or cut-off capture gives everything up to the damage, then one error that says where it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its files has failed")]

mod capture;

use std::io::Write;

use capture::builder::Builder;
use capture::{Collected, collect_bytes};
use proptest::prelude::*;
use trim_user::data::capture::file::{Fault, Place, ReadError};

/// The four plain formats with eight packets, and how many packets are whole in front of each end in `ends`.
fn plain() -> Vec<(Builder, Vec<usize>)> {
    let mut files = Vec::new();
    for big in [false, true] {
        let mut file = Builder::new(big).pcap(0xa1b2_3c4d, 4, 1);
        let mut whole = vec![0];
        for number in 0..8_u32 {
            let data = vec![number as u8; number as usize * 7];
            file = file.record((number, number), (data.len() as u32, 999), &[], &data);
            whole.push(number as usize + 1);
        }
        files.push((file, whole));

        let mut file = Builder::new(big).section(big).interface(1, 0, &[]);
        let mut whole = vec![0, 0];
        for number in 0..8_u32 {
            file = file.packet(0, u64::from(number), 999, &vec![number as u8; number as usize * 7]);
            whole.push(number as usize + 1);
            if number == 4 {
                file = file.section(!big).interface(1, 0, &[]);
                whole.extend([5, 5]);
            }
        }
        files.push((file.statistics(0, 5, 6, 7), {
            whole.push(8);
            whole
        }));
    }
    files
}

/// Checks a file whose bytes from `at` on are missing.
fn check_cut(file: &Builder, whole: &[usize], all: &Collected, at: usize) {
    let read = collect_bytes(&file.bytes[..at]);
    let complete = file.ends.iter().filter(|end| **end <= at).count();
    let packets = complete.checked_sub(1).map_or(0, |last| whole[last]);
    assert_eq!(read.packets, all.packets[..packets], "cut at {at}");
    let boundary = complete.checked_sub(1).map_or(0, |last| file.ends[last]);
    match read.error {
        None => assert_eq!(at, boundary, "a cut at {at} was not noticed"),
        Some(ReadError::Damaged {
            place,
            fault: Fault::CutOff { have, need },
        }) => {
            assert_eq!(
                (place.offset, place.packet),
                (boundary as u64, packets as u64 + 1),
                "cut at {at}"
            );
            assert!(have == at - boundary && need > have, "cut at {at}");
        }
        Some(ReadError::Empty { .. } | ReadError::NotACapture { .. }) => assert!(at < 4),
        Some(other) => panic!("cut at {at}: {other}"),
    }
}

#[test]
fn a_capture_cut_at_any_byte_gives_its_whole_packets_and_says_where_it_ends() {
    for (file, whole) in plain() {
        let all = collect_bytes(&file.bytes);
        assert!(all.error.is_none() && all.packets.len() == 8);
        for at in 0..file.bytes.len() {
            check_cut(&file, &whole, &all, at);
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new()
        .filename("name")
        .comment("comment")
        .extra(vec![1, 2, 3])
        .write(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

type Compress = fn(&[u8]) -> Vec<u8>;

/// A capture in three members or frames, and where each of them ends.
fn in_three(compress: Compress, file: &Builder) -> (Vec<u8>, [usize; 3]) {
    let (one, two) = (file.ends[3], file.ends[6] + 5);
    let mut bytes = compress(&file.bytes[..one]);
    let first = bytes.len();
    bytes.extend(compress(&file.bytes[one..two]));
    let second = bytes.len();
    bytes.extend(compress(&file.bytes[two..]));
    let third = bytes.len();
    (bytes, [first, second, third])
}

#[test]
fn compressed_captures_of_several_members_are_read_and_cuts_are_noticed() {
    for (file, whole) in plain() {
        let all = collect_bytes(&file.bytes);
        for compress in [gzip as Compress, zstd] {
            let (bytes, ends) = in_three(compress, &file);
            assert_eq!(collect_bytes(&bytes).packets, all.packets);
            for at in 4..bytes.len() {
                let read = collect_bytes(&bytes[..at]);
                let least = if at >= ends[1] {
                    whole[6]
                } else if at >= ends[0] {
                    whole[3]
                } else {
                    0
                };
                assert!(
                    read.packets.len() >= least,
                    "cut at {at}: {} packets",
                    read.packets.len()
                );
                assert_eq!(read.packets, all.packets[..read.packets.len()], "cut at {at}");
                assert!(read.error.is_some() || at == ends[0], "a cut at {at} was not noticed");
            }
        }
    }
}

/// A capture of 3000 packets of noise, 1016 bytes each with their headers, behind a file header of 24 bytes.
fn noise() -> Builder {
    let mut file = Builder::new(false).pcap(0xa1b2_c3d4, 4, 1);
    let mut noise = 1_u32;
    for number in 0..3000 {
        let data: Vec<u8> = (0..1000)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 26) as u8
            })
            .collect();
        file = file.record((number, 0), (1000, 1000), &[], &data);
    }
    file
}

#[track_caller]
fn place_of(read: &Collected) -> &Place {
    match &read.error {
        Some(ReadError::Input { place, .. } | ReadError::Damaged { place, .. }) => place,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_gzipped_in_front_of_damage_is_delivered() {
    let mut bytes = gzip(&noise().bytes);
    // The noise shrinks evenly, so the middle of the file is in the middle of the packets.
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0xff);
    let read = collect_bytes(&bytes);
    assert!(
        (1490..=1505).contains(&read.packets.len()),
        "{} packets",
        read.packets.len()
    );
    let place = place_of(&read);
    assert_eq!(place.packet, read.packets.len() as u64 + 1);
    assert!(place.decompressed && place.to_string().contains("decompressed"));
}

/// Where the block headers of a zstd frame larger than its window stand (RFC 8878 section 3.1.1).
fn zstd_blocks(frame: &[u8]) -> Vec<usize> {
    let descriptor = frame[4];
    assert_eq!(descriptor & 0x2f, 0, "a window descriptor, no dictionary, no checksum");
    let mut at = 6 + [0, 2, 4, 8][usize::from(descriptor >> 6)];
    let mut blocks = Vec::new();
    loop {
        blocks.push(at);
        let header = u32::from_le_bytes([frame[at], frame[at + 1], frame[at + 2], 0]);
        if header & 1 == 1 {
            return blocks;
        }
        at += 3 + (header >> 3) as usize;
    }
}

#[test]
fn every_zstd_block_in_front_of_damage_is_delivered() {
    let intact = zstd(&noise().bytes);
    let blocks = zstd_blocks(&intact);
    assert_eq!(blocks.len(), 3_048_024_usize.div_ceil(128 << 10));
    for (number, at) in blocks.into_iter().enumerate() {
        let mut bytes = intact.clone();
        // The type of the block becomes the reserved one.
        bytes[at] |= 0b110;
        let read = collect_bytes(&bytes);
        if number == 0 {
            assert!(read.error.is_some());
            continue;
        }
        assert_eq!(read.packets.len(), ((number << 17) - 24) / 1016, "block {number}");
        assert_eq!(place_of(&read).packet, read.packets.len() as u64 + 1);
    }
}

#[test]
fn damage_right_behind_the_last_member_is_reported_after_all_packets() {
    let (file, _) = plain().swap_remove(0);
    for (compress, kind) in [(gzip as Compress, "gzip"), (zstd, "zstd")] {
        let mut bytes = compress(&file.bytes);
        bytes.extend(b"trailing garbage");
        let read = collect_bytes(&bytes);
        assert_eq!(read.packets.len(), 8, "{kind}");
        assert!(matches!(read.error, Some(ReadError::Input { .. })), "{kind}");
    }
    let mut bytes = gzip(&file.bytes);
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    let read = collect_bytes(&bytes);
    assert!(read.packets.len() == 8 && matches!(read.error, Some(ReadError::Input { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damage_never_panics_and_never_changes_a_packet_in_front_of_it(
        which in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (mut file, whole) = plain().swap_remove(which);
        let all = collect_bytes(&file.bytes);
        let mut first = file.bytes.len();
        for (at, value) in &damage {
            let at = at.index(file.bytes.len());
            file.bytes[at] = *value;
            first = first.min(at);
        }
        let read = collect_bytes(&file.bytes);
        let intact = file.ends.iter().filter(|end| **end <= first).count();
        let intact = intact.checked_sub(1).map_or(0, |last| whole[last]);
        prop_assert!(read.packets.len() >= intact);
        prop_assert_eq!(&read.packets[..intact], &all.packets[..intact]);
    }

    #[test]
    fn damaged_compression_never_panics(
        zipped in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (file, _) = plain().swap_remove(1);
        let mut bytes = if zipped { gzip(&file.bytes) } else { zstd(&file.bytes) };
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        collect_bytes(&bytes);
    }

    #[test]
    fn any_bytes_behind_a_valid_start_are_survived(which in 0_usize..4, tail in prop::collection::vec(any::<u8>(), 0..400)) {
        let (mut file, _) = plain().swap_remove(which);
        file.bytes.truncate(file.ends[1]);
        file.bytes.extend(tail);
        collect_bytes(&file.bytes);
    }
}
