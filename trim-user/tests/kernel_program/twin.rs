//! Program and twin on thousands of generated and hostile frames.

use trim_common::strategy::{Mode, Split};
use trim_user::kernel::test_run::{FRAME_MAX, FRAME_MIN};

use crate::frames::{Frame, Random};
use crate::rig::{Rig, SETUP, can_run};

/// Changes settings now and then, so that all ways through the program meet all frames.
fn stir(rig: &mut Rig, random: &mut Random) {
    let split = Split::from_basis_points(random.below(10_001) as u32);
    match random.below(6) {
        0 => rig.switch(random.pick(&Mode::ALL), split),
        1 => rig.drain(random.pick(&Mode::ALL), split),
        2 => rig.ports(&[80, 8080][..random.below(3)]),
        _ => {
            let mut setup = SETUP;
            setup.omit_not_http = random.below(2) as u8;
            setup.detect = random.below(2) as u8;
            setup.seed = random.below(3) as u64;
            rig.setup(setup);
        }
    }
}

fn usable(mut frame: Vec<u8>) -> Vec<u8> {
    frame.truncate(FRAME_MAX);
    let length = frame.len().max(FRAME_MIN);
    frame.resize(length, 0);
    frame
}

#[test]
fn the_program_agrees_with_its_twin_on_generated_frames() {
    if !can_run("the_program_agrees_with_its_twin_on_generated_frames") {
        return;
    }
    let (mut rig, mut random) = (Rig::new(), Random(11));
    for round in 0..8_000 {
        if round % 40 == 0 {
            stir(&mut rig, &mut random);
        }
        let frame = Frame::any(&mut random).make().bytes;
        rig.run(&usable(frame));
    }
}

#[test]
fn the_program_agrees_with_its_twin_on_frames_cut_at_every_length() {
    if !can_run("the_program_agrees_with_its_twin_on_frames_cut_at_every_length") {
        return;
    }
    let (mut rig, mut random) = (Rig::new(), Random(12));
    for _ in 0..60 {
        let frame = usable(Frame::any(&mut random).make().bytes);
        for length in FRAME_MIN..frame.len().min(250) {
            rig.run(&frame[..length]);
        }
    }
}

#[test]
fn the_program_agrees_with_its_twin_on_mutated_frames() {
    if !can_run("the_program_agrees_with_its_twin_on_mutated_frames") {
        return;
    }
    let (mut rig, mut random) = (Rig::new(), Random(13));
    for round in 0..8_000 {
        if round % 40 == 0 {
            stir(&mut rig, &mut random);
        }
        let mut frame = usable(Frame::any(&mut random).make().bytes);
        for _ in 0..1 + random.below(4) {
            // Mostly in the headers, where it matters.
            let end = if random.chance(90) {
                frame.len().min(80)
            } else {
                frame.len()
            };
            let at = random.below(end);
            frame[at] = if random.chance(50) {
                random.word() as u8
            } else {
                frame[at] ^ (1 << random.below(8))
            };
        }
        if random.chance(20) {
            let length = random.below(frame.len()).max(FRAME_MIN);
            frame.truncate(length);
        }
        rig.run(&frame);
    }
}

#[test]
fn the_program_agrees_with_its_twin_on_random_bytes() {
    if !can_run("the_program_agrees_with_its_twin_on_random_bytes") {
        return;
    }
    let (mut rig, mut random) = (Rig::new(), Random(14));
    for _ in 0..4_000 {
        let length = FRAME_MIN + random.below(300);
        let mut frame = random.bytes(length);
        // Random bytes rarely are IP: help them in half of the cases.
        let ether_type = random.pick(&[None, None, None, Some(0x0800u16), Some(0x86dd), Some(0x8100)]);
        if let Some(ether_type) = ether_type {
            frame[12..14].copy_from_slice(&ether_type.to_be_bytes());
        }
        rig.run(&frame);
    }
}

#[test]
fn the_longest_header_chains_are_followed_alike() {
    if !can_run("the_longest_header_chains_are_followed_alike") {
        return;
    }
    let (mut rig, mut random) = (Rig::new(), Random(15));
    for _ in 0..300 {
        let mut frame = Frame::any(&mut random);
        frame.source.0 = std::net::Ipv6Addr::LOCALHOST.into();
        frame.destination.0 = std::net::Ipv6Addr::UNSPECIFIED.into();
        // Two headers of 2 KiB reach the limit of what is read.
        frame.extensions = (0..random.below(4))
            .map(|_| crate::frames::Extension::Plain(60, (200 + random.below(56)) as u8))
            .collect();
        rig.run(&usable(frame.make().bytes));
    }
}
