//! Frames made from a description, so that what is in them is known without parsing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use trim_common::headers::{MAX_EXTENSIONS, MAX_VLANS};

/// SplitMix64: small, and the same frames on every machine.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.word() % end as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.word() as u8).collect()
    }
}

/// An IPv6 extension header.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Extension {
    /// Of this kind (0, 43, 60, 135, 139, 140), with this many 8-byte units behind the first.
    Plain(u8, u8),
    /// Authentication, with this many 4-byte units behind the first two.
    Authentication(u8),
    /// A fragment header with this offset-and-flags field.
    Fragment(u16),
}

pub(crate) const SYN: u8 = 0x02;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const PSH_ACK: u8 = 0x18;
pub(crate) const SYN_ACK: u8 = 0x12;

/// A frame to be made.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) vlans: Vec<u16>,
    pub(crate) source: (IpAddr, u16),
    pub(crate) destination: (IpAddr, u16),
    /// IPv4: bytes of options, a multiple of 4, at most 40.
    pub(crate) ip_options: usize,
    /// IPv4: the fragment field.
    pub(crate) ip_fragment: u16,
    /// IPv6: the chain.
    pub(crate) extensions: Vec<Extension>,
    /// The transport protocol; what follows looks like TCP all the same.
    pub(crate) protocol: u8,
    pub(crate) tcp_options: usize,
    pub(crate) tcp_flags: u8,
    pub(crate) sequence: u32,
    pub(crate) payload: Vec<u8>,
    /// Bytes behind the datagram.
    pub(crate) padding: usize,
    /// Write 0 where the datagram's length belongs.
    pub(crate) open_length: bool,
}

/// A frame and where its parts are.
pub(crate) struct Made {
    pub(crate) bytes: Vec<u8>,
    pub(crate) l3: usize,
    pub(crate) l4: usize,
    pub(crate) payload: usize,
}

/// What a frame is, by its description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Tcp,
    Fragment,
    NotTcp,
    Encapsulated,
    TooDeep,
}

impl Frame {
    /// A TCP segment over IPv4, nothing special.
    pub(crate) fn tcp(source: (Ipv4Addr, u16), destination: (Ipv4Addr, u16), tcp_flags: u8, payload: &[u8]) -> Self {
        Self {
            vlans: Vec::new(),
            source: (source.0.into(), source.1),
            destination: (destination.0.into(), destination.1),
            ip_options: 0,
            ip_fragment: 0x4000,
            extensions: Vec::new(),
            protocol: 6,
            tcp_options: 0,
            tcp_flags,
            sequence: 1000,
            payload: payload.to_vec(),
            padding: 0,
            open_length: false,
        }
    }

    pub(crate) fn sequence(mut self, sequence: u32) -> Self {
        self.sequence = sequence;
        self
    }

    /// The same flow in the other direction.
    pub(crate) fn reply(&self, tcp_flags: u8, payload: &[u8]) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            tcp_flags,
            payload: payload.to_vec(),
            ..self.clone()
        }
    }

    /// Anything the program should understand, and now and then a little more.
    pub(crate) fn any(random: &mut Random) -> Self {
        let v6 = random.chance(45);
        let host = |random: &mut Random| -> IpAddr {
            let number = random.below(6) as u8;
            if v6 {
                Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(number)).into()
            } else {
                Ipv4Addr::new(10, number % 2, 0, number).into()
            }
        };
        let ports = [80, 8080, 443, 1024, 50_000, 65_535];
        let vlans = if random.chance(60) {
            0
        } else {
            random.below(MAX_VLANS as usize + 2)
        };
        let extensions = if random.chance(50) {
            0
        } else {
            random.below(MAX_EXTENSIONS as usize + 2)
        };
        Self {
            vlans: (0..vlans).map(|_| random.pick(&[0x8100, 0x88a8, 0x9100])).collect(),
            source: (host(random), random.pick(&ports)),
            destination: (host(random), random.pick(&ports)),
            ip_options: 4 * if random.chance(70) { 0 } else { random.below(11) },
            ip_fragment: if random.chance(90) {
                0x4000
            } else {
                random.word() as u16
            },
            extensions: (0..extensions).map(|_| Self::any_extension(random)).collect(),
            protocol: if random.chance(85) {
                6
            } else {
                random.pick(&[1, 17, 47, 4, 41, 50, 58, 59, 132, 137])
            },
            tcp_options: 4 * if random.chance(50) { 0 } else { random.below(11) },
            tcp_flags: random.pick(&[SYN, SYN_ACK, ACK, PSH_ACK, PSH_ACK, PSH_ACK, 0x11, 0x04, 0x14]),
            sequence: random.pick(&[999, 1000, 1001, u32::MAX, 0, 77]),
            payload: any_payload(random),
            padding: if random.chance(70) { 0 } else { random.below(20) },
            open_length: random.chance(5),
        }
    }

    fn any_extension(random: &mut Random) -> Extension {
        match random.below(10) {
            0 => Extension::Fragment(if random.chance(70) { 0 } else { random.word() as u16 }),
            1 | 2 => Extension::Authentication(random.below(5) as u8),
            _ => Extension::Plain(
                random.pick(&[0, 43, 60, 60, 135, 139, 140]),
                if random.chance(95) { random.below(4) as u8 } else { 255 },
            ),
        }
    }

    /// What a parser must find.
    pub(crate) fn expected(&self, made: &Made) -> Expected {
        if self.vlans.len() > MAX_VLANS as usize {
            return Expected::TooDeep;
        }
        let is_tunnel = matches!(self.protocol, 4 | 41 | 47 | 137);
        let of_protocol = |tcp| match self.protocol {
            6 => tcp,
            _ if is_tunnel => Expected::Encapsulated,
            _ => Expected::NotTcp,
        };
        if self.source.0.is_ipv4() {
            return of_protocol(if self.ip_fragment & 0x3fff == 0 {
                Expected::Tcp
            } else {
                Expected::Fragment
            });
        }
        let mut offset = made.l3 + 40;
        for (index, extension) in self.extensions.iter().enumerate() {
            if index >= MAX_EXTENSIONS as usize || offset > 2047 {
                return Expected::TooDeep;
            }
            if matches!(extension, Extension::Fragment(field) if field & 0xfff9 != 0) {
                return match self.extensions.get(index + 1) {
                    Some(_) => Expected::Fragment,
                    None => of_protocol(Expected::Fragment),
                };
            }
            offset += extension.length();
        }
        of_protocol(if offset > 2047 {
            Expected::TooDeep
        } else {
            Expected::Tcp
        })
    }

    /// Makes the frame.
    pub(crate) fn make(&self) -> Made {
        let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for vlan in &self.vlans {
            bytes.extend(vlan.to_be_bytes());
            bytes.extend([0, 100]);
        }
        bytes.extend(if self.source.0.is_ipv4() {
            [0x08, 0x00]
        } else {
            [0x86, 0xdd]
        });
        let l3 = bytes.len();
        match (self.source.0, self.destination.0) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => self.make_ipv4(&mut bytes, source, destination),
            (IpAddr::V6(source), IpAddr::V6(destination)) => self.make_ipv6(&mut bytes, source, destination),
            _ => panic!("a frame has addresses of one kind"),
        }
        let l4 = bytes.len();
        self.make_tcp(&mut bytes);
        let payload = bytes.len();
        bytes.extend(&self.payload);
        bytes.extend(std::iter::repeat_n(b'P', self.padding));
        Made { bytes, l3, l4, payload }
    }

    fn segment_length(&self) -> usize {
        20 + self.tcp_options + self.payload.len()
    }

    fn length_field(&self, length: usize) -> [u8; 2] {
        if self.open_length {
            [0, 0]
        } else {
            (length as u16).to_be_bytes()
        }
    }

    fn make_ipv4(&self, bytes: &mut Vec<u8>, source: Ipv4Addr, destination: Ipv4Addr) {
        let header = 20 + self.ip_options;
        bytes.extend([0x40 | (header / 4) as u8, 0]);
        bytes.extend(self.length_field(header + self.segment_length()));
        bytes.extend([0, 1]);
        bytes.extend(self.ip_fragment.to_be_bytes());
        bytes.extend([64, self.protocol, 0, 0]);
        bytes.extend(source.octets());
        bytes.extend(destination.octets());
        bytes.extend(std::iter::repeat_n(1, self.ip_options));
    }

    fn make_ipv6(&self, bytes: &mut Vec<u8>, source: Ipv6Addr, destination: Ipv6Addr) {
        let chain: usize = self.extensions.iter().map(Extension::length).sum();
        let kinds: Vec<u8> = self
            .extensions
            .iter()
            .map(Extension::kind)
            .chain([self.protocol])
            .collect();
        bytes.extend([0x60, 0, 0, 0]);
        bytes.extend(self.length_field(chain + self.segment_length()));
        bytes.extend([kinds[0], 64]);
        bytes.extend(source.octets());
        bytes.extend(destination.octets());
        for (extension, next) in self.extensions.iter().zip(&kinds[1..]) {
            extension.make(*next, bytes);
        }
    }

    fn make_tcp(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.source.1.to_be_bytes());
        bytes.extend(self.destination.1.to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend(7u32.to_be_bytes());
        bytes.extend([((20 + self.tcp_options) / 4 * 16) as u8, self.tcp_flags]);
        bytes.extend([0xff, 0xff, 0, 0, 0, 0]);
        bytes.extend(std::iter::repeat_n(1, self.tcp_options));
    }
}

impl Extension {
    fn kind(&self) -> u8 {
        match self {
            Self::Plain(kind, _) => *kind,
            Self::Authentication(_) => 51,
            Self::Fragment(_) => 44,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Plain(_, units) => 8 + 8 * usize::from(*units),
            Self::Authentication(units) => 8 + 4 * usize::from(*units),
            Self::Fragment(_) => 8,
        }
    }

    fn make(&self, next: u8, bytes: &mut Vec<u8>) {
        let end = bytes.len() + self.length();
        match self {
            Self::Plain(_, units) => bytes.extend([next, *units]),
            Self::Authentication(units) => bytes.extend([next, *units]),
            Self::Fragment(field) => {
                bytes.extend([next, 0]);
                bytes.extend(field.to_be_bytes());
            }
        }
        bytes.resize(end, 0);
    }
}

fn any_payload(random: &mut Random) -> Vec<u8> {
    let texts: [&[u8]; 20] = [
        b"",
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /form HTTP/1.1\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.",
        b"HTT",
        b"\r\n\r\nHEAD / HTTP/1.1\r\n",
        b"\r\n\r\n\r\n\r\nGET / HTTP/1.1",
        b"\r\r\n",
        b"GE",
        b"PROPFIND /dav HTTP/1.1\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b" x",
        b"CONNECT a:443 HTTP/1.1\r\n",
        b"OPTIONS",
        b"a|b~c! /",
        b"\0",
        b"GET\t/",
    ];
    if random.chance(80) {
        random.pick(&texts).to_vec()
    } else {
        let length = random.below(200);
        random.bytes(length)
    }
}
