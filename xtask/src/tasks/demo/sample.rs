//! A small capture of HTTP over TCP over IPv4 over Ethernet, made here.

use std::net::Ipv4Addr;

/// Largest TCP payload of a segment, bytes.
const SEGMENT: usize = 1448;
const SERVER: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 80);

/// Frames in the order of their times.
#[derive(Default)]
pub(super) struct Capture {
    frames: Vec<Vec<u8>>,
}

impl Capture {
    /// Connections of every common kind: keep-alive, pipelined requests, chunked, HEAD, 204 and 304, POST, until-close.
    pub(super) fn sample() -> Self {
        let mut capture = Self::default();
        let mut client = 0;
        let mut connection = |exchanges: &[(String, Vec<u8>)]| {
            client += 1;
            capture.connection(client, exchanges);
        };
        for size in [0, 100, 1448, 5000, 200_000] {
            connection(&[exchange("GET /page", "", &with_length("200 OK", size))]);
        }
        let three = [10, 3000, 500].map(|size| exchange("GET /kept", "", &with_length("200 OK", size)));
        connection(&three);
        let both = [with_length("200 OK", 700), with_length("404 Not Found", 90)].concat();
        connection(&[(format!("{}{}", request("GET /one", ""), request("GET /two", "")), both)]);
        connection(&[exchange("GET /chunked", "", &chunked(&[7, 4000, 1]))]);
        let no_body = b"HTTP/1.1 204 No Content\r\n\r\n".to_vec();
        let head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n".to_vec();
        let unmodified = b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n".to_vec();
        let answers = [
            ("HEAD /page", head),
            ("GET /empty", no_body),
            ("GET /again", unmodified),
        ];
        connection(&answers.map(|(target, answer)| exchange(target, "", &answer)));
        let posted = request("POST /form", "Content-Length: 3000\r\n") + &"x".repeat(3000);
        connection(&[(posted, with_length("201 Created", 20))]);
        let until_close = [b"HTTP/1.0 200 OK\r\n\r\n".to_vec(), body(9000)].concat();
        connection(&[exchange("GET /old", "", &until_close)]);
        capture
    }

    /// The capture as a pcap file with nanosecond times, 100 µs apart.
    pub(super) fn pcap(&self) -> Vec<u8> {
        let mut file = Vec::new();
        // Magic number, version 2.4, no time zone, snaplen, Ethernet: draft-ietf-opsawg-pcap, section 4.
        for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1_u32] {
            file.extend(word.to_le_bytes());
        }
        for (number, frame) in (0_u32..).zip(&self.frames) {
            let (seconds, nanoseconds) = (1_700_000_000 + number / 10_000, number % 10_000 * 100_000);
            for word in [seconds, nanoseconds, frame.len() as u32, frame.len() as u32] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    fn connection(&mut self, client: u16, exchanges: &[(String, Vec<u8>)]) {
        let host = Ipv4Addr::new(198, 51, 100, (client % 250 + 1) as u8);
        let mut up = Sender {
            from: (host, 40_000 + client),
            to: SERVER,
            sequence: 1000,
            acknowledgment: 0,
        };
        let mut down = Sender {
            from: SERVER,
            to: up.from,
            sequence: 9000,
            acknowledgment: 1001,
        };
        self.frames.push(up.frame(SYN, b""));
        self.frames.push(down.frame(SYN | ACK, b""));
        up.acknowledgment = 9001;
        self.frames.push(up.frame(ACK, b""));
        for (request, response) in exchanges {
            self.send(&mut up, &mut down, request.as_bytes());
            self.send(&mut down, &mut up, response);
        }
        self.frames.push(down.frame(FIN | ACK, b""));
        up.acknowledgment = down.sequence;
        self.frames.push(up.frame(FIN | ACK, b""));
    }

    fn send(&mut self, from: &mut Sender, to: &mut Sender, bytes: &[u8]) {
        for part in bytes.chunks(SEGMENT) {
            self.frames.push(from.frame(PSH | ACK, part));
            to.acknowledgment = from.sequence;
            self.frames.push(to.frame(ACK, b""));
        }
    }
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

/// One end of a connection.
struct Sender {
    from: (Ipv4Addr, u16),
    to: (Ipv4Addr, u16),
    sequence: u32,
    acknowledgment: u32,
}

impl Sender {
    /// The next frame, with correct checksums.
    fn frame(&mut self, flags: u8, payload: &[u8]) -> Vec<u8> {
        let tcp = self.tcp(flags, payload);
        let consumed = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        self.sequence = self.sequence.wrapping_add(consumed);
        let mut ip = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0];
        ip[2..4].copy_from_slice(&(20 + tcp.len() as u16).to_be_bytes());
        ip.extend(self.from.0.octets());
        ip.extend(self.to.0.octets());
        let sum = checksum(&[&ip]);
        ip[10..12].copy_from_slice(&sum.to_be_bytes());
        // Locally administered addresses.
        let ethernet = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2][..], &[0x08, 0x00]].concat();
        [ethernet, ip, tcp].concat()
    }

    fn tcp(&self, flags: u8, payload: &[u8]) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + payload.len());
        tcp.extend(self.from.1.to_be_bytes());
        tcp.extend(self.to.1.to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgment.to_be_bytes());
        tcp.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
        tcp.extend(payload);
        let length = (tcp.len() as u16).to_be_bytes();
        let pseudo = [&self.from.0.octets()[..], &self.to.0.octets(), &[0, 6], &length].concat();
        let sum = checksum(&[&pseudo, &tcp]);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
        tcp
    }
}

/// The Internet checksum (RFC 1071) over parts, of which all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let pairs = parts.iter().flat_map(|part| part.chunks(2));
    let mut sum: u32 = pairs
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |byte| u32::from(*byte)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

fn request(target: &str, headers: &str) -> String {
    format!("{target} HTTP/1.1\r\nHost: demo.example\r\nUser-Agent: demo\r\n{headers}\r\n")
}

fn exchange(target: &str, headers: &str, response: &[u8]) -> (String, Vec<u8>) {
    (request(target, headers), response.to_vec())
}

fn with_length(status: &str, size: usize) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nServer: demo\r\nContent-Length: {size}\r\n\r\n");
    [head.into_bytes(), body(size)].concat()
}

fn chunked(sizes: &[usize]) -> Vec<u8> {
    let mut response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for size in sizes {
        response.extend(format!("{size:x}\r\n").bytes());
        response.extend(body(*size));
        response.extend(b"\r\n");
    }
    response.extend(b"0\r\nDigest: none\r\n\r\n");
    response
}

/// A body that looks like a header here and there.
fn body(size: usize) -> Vec<u8> {
    b"some text of the body\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
        .iter()
        .copied()
        .cycle()
        .take(size)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_checksum_of_the_sample_is_correct() {
        for frame in &Capture::sample().frames {
            let (ip, tcp) = (&frame[14..34], &frame[34..]);
            assert_eq!(checksum(&[ip]), 0);
            let pseudo = [&ip[12..20], &[0, 6], &(tcp.len() as u16).to_be_bytes()].concat();
            assert_eq!(checksum(&[&pseudo, tcp]), 0);
        }
    }

    #[test]
    fn the_file_holds_every_frame() {
        let capture = Capture::sample();
        let bytes: usize = capture.frames.iter().map(|frame| 16 + frame.len()).sum();
        assert_eq!(capture.pcap().len(), 24 + bytes);
        assert!(capture.frames.len() > 300);
    }
}
