//! Generated segments as Ethernet frames in a capture file, which any other program can judge as well.

use std::io::Write;
use std::path::Path;

use super::dialogue::Side;
use super::recipe::Quirk;
use super::rng::Rng;
use super::wire::{Case, Endpoints, Packet};

/// Shortest Ethernet frame without its check sequence; shorter ones are padded.
const SHORTEST_FRAME: usize = 60;

/// One captured frame.
#[derive(Clone, Debug)]
pub struct Frame {
    pub time: u64,
    pub bytes: Vec<u8>,
    /// Length on the wire.
    pub wire_length: usize,
}

/// How a connection's packets are wrapped.
#[derive(Clone, Copy, Debug)]
struct Wrapping {
    vlan_tags: usize,
    is_ipv6: bool,
    has_tcp_options: bool,
    has_bad_checksums: bool,
}

impl Wrapping {
    fn of(rng: &mut Rng) -> Self {
        Self {
            vlan_tags: rng.pick(&[0, 0, 0, 1, 2]),
            is_ipv6: rng.chance(25),
            has_tcp_options: rng.chance(50),
            has_bad_checksums: rng.chance(15),
        }
    }
}

/// The frames of several cases, interleaved, each connection between endpoints of its own.
pub fn frames(cases: &[Case], rng: &mut Rng) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut next = vec![0; cases.len()];
    let wrappings: Vec<_> = cases.iter().map(|_| Wrapping::of(rng)).collect();
    let mut open: Vec<_> = (0..cases.len()).collect();
    while !open.is_empty() {
        let which = rng.below(open.len());
        let index = open[which];
        let Some(packet) = cases[index].packets.get(next[index]) else {
            open.swap_remove(which);
            continue;
        };
        next[index] += 1;
        let endpoints = own_endpoints(&cases[index], index);
        let whole = frame(packet, endpoints, wrappings[index]);
        let breakable = cases[index].recipe.quirks.has(Quirk::Loss) && !wrappings[index].is_ipv6;
        if breakable
            && packet.payload.len() == packet.wire_payload as usize
            && packet.payload.len() > 64
            && rng.chance(3)
        {
            frames.extend(fragments(&whole, wrappings[index]));
        } else {
            frames.push(whole);
        }
    }
    for (index, frame) in frames.iter_mut().enumerate() {
        frame.time = 1_700_000_000_000_000_000 + index as u64 * 10_007;
    }
    frames
}

fn own_endpoints(case: &Case, index: usize) -> Endpoints {
    let mut endpoints = case.endpoints;
    let [high, low] = (index as u16).to_be_bytes();
    endpoints.client.0 = [172, 16, high, low];
    endpoints
}

fn frame(packet: &Packet, endpoints: Endpoints, wrapping: Wrapping) -> Frame {
    let (from, to) = match packet.side {
        Side::Client => (endpoints.client, endpoints.server),
        Side::Server => (endpoints.server, endpoints.client),
    };
    let tcp = tcp_header(packet, from.1, to.1, wrapping);
    let length = tcp.len() + packet.wire_payload as usize;
    let mut ip = match wrapping.is_ipv6 {
        true => ipv6_header(from.0, to.0, length),
        false => ipv4_header(from.0, to.0, length, packet.sequence as u16),
    };
    let mut segment = tcp;
    segment.extend_from_slice(&packet.payload);
    if !wrapping.has_bad_checksums && packet.payload.len() == packet.wire_payload as usize {
        let addresses = if wrapping.is_ipv6 { &ip[8..40] } else { &ip[12..20] };
        let sum = checksum(&[addresses, &[0, 6], &(length as u16).to_be_bytes(), &segment]);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
    }
    let mut bytes = ethernet_header(packet.side, wrapping);
    let wire_length = (bytes.len() + ip.len() + length).max(SHORTEST_FRAME);
    bytes.append(&mut ip);
    bytes.append(&mut segment);
    if bytes.len() < SHORTEST_FRAME && wire_length == SHORTEST_FRAME {
        bytes.resize(SHORTEST_FRAME, b'P');
    }
    Frame {
        time: 0,
        bytes,
        wire_length,
    }
}

fn ethernet_header(side: Side, wrapping: Wrapping) -> Vec<u8> {
    let (client, server) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let mut bytes = match side {
        Side::Client => [server, client].concat(),
        Side::Server => [client, server].concat(),
    };
    let tags: [&[u8]; 2] = [&[0x88, 0xa8, 0, 7], &[0x81, 0x00, 0, 42]];
    for tag in &tags[2 - wrapping.vlan_tags..] {
        bytes.extend_from_slice(tag);
    }
    bytes.extend_from_slice(if wrapping.is_ipv6 { &[0x86, 0xdd] } else { &[0x08, 0x00] });
    bytes
}

fn ipv4_header(from: [u8; 4], to: [u8; 4], length: usize, id: u16) -> Vec<u8> {
    let mut ip = vec![0x45, 0];
    ip.extend_from_slice(&((length + 20) as u16).to_be_bytes());
    ip.extend_from_slice(&id.to_be_bytes());
    ip.extend_from_slice(&[0, 0, 64, 6, 0, 0]);
    ip.extend_from_slice(&from);
    ip.extend_from_slice(&to);
    let sum = checksum(&[&ip]);
    ip[10..12].copy_from_slice(&sum.to_be_bytes());
    ip
}

fn ipv6_header(from: [u8; 4], to: [u8; 4], length: usize) -> Vec<u8> {
    let mut ip = vec![0x60, 0, 0, 0];
    ip.extend_from_slice(&(length as u16).to_be_bytes());
    ip.extend_from_slice(&[6, 64]);
    for address in [from, to] {
        ip.extend_from_slice(&[0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        ip.extend_from_slice(&address);
    }
    ip
}

fn tcp_header(packet: &Packet, from: u16, to: u16, wrapping: Wrapping) -> Vec<u8> {
    let mut tcp = Vec::new();
    tcp.extend_from_slice(&from.to_be_bytes());
    tcp.extend_from_slice(&to.to_be_bytes());
    tcp.extend_from_slice(&packet.sequence.to_be_bytes());
    tcp.extend_from_slice(&packet.acknowledgment.to_be_bytes());
    let length = if wrapping.has_tcp_options { 32 } else { 20 };
    tcp.extend_from_slice(&[(length / 4) << 4, packet.flags, 0xff, 0xff, 0, 0, 0, 0]);
    if wrapping.has_tcp_options {
        tcp.extend_from_slice(&[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    }
    tcp
}

/// The Internet checksum (RFC 1071) over parts, all but the last of even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let words = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u64 = words
        .map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// An IPv4 frame as two fragments.
fn fragments(whole: &Frame, wrapping: Wrapping) -> [Frame; 2] {
    let ip = 14 + 4 * wrapping.vlan_tags;
    let middle = 40;
    let total = usize::from(u16::from_be_bytes([whole.bytes[ip + 2], whole.bytes[ip + 3]]));
    let parts = [(0, middle, 0x2000), (middle, total - 20, (middle / 8) as u16)];
    parts.map(|(from, to, offset_word)| {
        let mut bytes = whole.bytes[..ip + 20].to_vec();
        bytes[ip + 2..ip + 4].copy_from_slice(&((to - from + 20) as u16).to_be_bytes());
        bytes[ip + 6..ip + 8].copy_from_slice(&offset_word.to_be_bytes());
        bytes[ip + 10..ip + 12].fill(0);
        let sum = checksum(&[&bytes[ip..ip + 20]]);
        bytes[ip + 10..ip + 12].copy_from_slice(&sum.to_be_bytes());
        bytes.extend_from_slice(&whole.bytes[ip + 20 + from..ip + 20 + to]);
        let wire_length = bytes.len();
        Frame {
            time: 0,
            bytes,
            wire_length,
        }
    })
}

/// Writes a pcap file with nanoseconds.
pub fn write_pcap(path: &Path, frames: &[Frame]) {
    let mut out = Vec::new();
    out.extend_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    out.extend_from_slice(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend_from_slice(&262_144_u32.to_le_bytes());
    out.extend_from_slice(&1_u32.to_le_bytes());
    for frame in frames {
        let (seconds, nanoseconds) = (frame.time / 1_000_000_000, frame.time % 1_000_000_000);
        for word in [
            seconds as usize,
            nanoseconds as usize,
            frame.bytes.len(),
            frame.wire_length,
        ] {
            out.extend_from_slice(&(word as u32).to_le_bytes());
        }
        out.extend_from_slice(&frame.bytes);
    }
    let mut file = std::fs::File::create(path).expect("the capture can be created");
    file.write_all(&out).expect("the capture can be written");
}
