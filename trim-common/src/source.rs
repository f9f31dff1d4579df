//! The benchmark's traffic: connections that go through a script of segments, and the frame of each.
//!
//! User space writes each step of a script as a whole frame in which the fields that differ between connections are 0.
//! The source fills those in and sends the frame off; user space does the same to know what was sent.

/// Longest part of a frame that a step writes, bytes: protocol headers, and the beginning of the payload.
pub const WRITTEN_MAX: usize = 560;
/// Steps of a script, at most.
pub const STEPS_MAX: u32 = 1024;
/// Connections, at most.
pub const FLOWS_MAX: u32 = 1 << 17;
/// As [`Step::next`]: where this connection's conversation begins ([`Flow::begin`]).
pub const BEGIN: u16 = u16::MAX;

/// Places of the fields that differ, in a frame of Ethernet, IPv4 without options and TCP.
mod place {
    pub(super) const IP_CHECKSUM: usize = 24;
    pub(super) const ADDRESSES: [usize; 2] = [26, 30];
    pub(super) const PORTS: [usize; 2] = [34, 36];
    pub(super) const SEQUENCE: usize = 38;
    pub(super) const ACKNOWLEDGMENT: usize = 42;
    pub(super) const TCP_CHECKSUM: usize = 50;
}

/// One segment of a script. No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Step {
    /// Bytes of the frame, from the Ethernet header on.
    pub length: u16,
    /// How many of them are written, at most [`WRITTEN_MAX`]. The others are as in the live frame that user space gave.
    pub written: u16,
    /// How often it is sent in a row, at least once.
    pub repeat: u16,
    /// The step after it, or [`BEGIN`].
    pub next: u16,
    /// Sequence numbers that it takes.
    pub advance: u16,
    /// 1: the server sends it. 0: the client.
    pub from_server: u8,
    /// 1: it acknowledges what came before. 0: it carries no acknowledgment.
    pub acknowledges: u8,
    /// 1: the connection is over, and another one, of another client, takes its place with this segment.
    pub renews: u8,
    /// Always 0.
    pub reserved: u8,
    /// Sum of the words of the IP header, folded (RFC 1071), without checksum and client's address.
    pub ip_sum: u16,
    /// The same of pseudo header and segment, without checksum, client's address and port, and both numbers.
    pub tcp_sum: u16,
    /// Always 0.
    pub reserved_too: [u8; 6],
    /// The frame, as far as it is written, with 0 in place of what differs.
    pub frame: [u8; WRITTEN_MAX],
}

const _: () = assert!(core::mem::size_of::<Step>() == 24 + WRITTEN_MAX);

/// A connection and where in its script it is. No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Flow {
    /// Next sequence number of client and server.
    pub sequences: [u32; 2],
    /// The client's IPv4 address, as a number.
    pub address: u32,
    /// The client's port.
    pub port: u16,
    /// The step that comes next.
    pub step: u16,
    /// How often that step was sent already.
    pub sent: u16,
    /// Where its conversation begins, and begins anew.
    pub begin: u16,
    /// Always 0.
    pub reserved: u32,
}

const _: () = assert!(core::mem::size_of::<Flow>() == 24);

/// What a segment is filled in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    address: u32,
    port: u16,
    sequence: u32,
    acknowledgment: u32,
    from_server: bool,
}

impl Flow {
    /// Sends `step`, which is the one that comes next: what it is filled in with.
    #[inline(always)]
    pub fn send(&mut self, step: &Step) -> Fields {
        if step.renews != 0 && self.sent == 0 {
            self.renew();
        }
        let from_server = step.from_server != 0;
        let [client, server] = self.sequences;
        let (sequence, other) = if from_server {
            (server, client)
        } else {
            (client, server)
        };
        let fields = Fields {
            address: self.address,
            port: self.port,
            sequence,
            acknowledgment: if step.acknowledges != 0 { other } else { 0 },
            from_server,
        };
        let after = sequence.wrapping_add(step.advance as u32);
        self.sequences = if from_server { [client, after] } else { [after, server] };
        self.sent += 1;
        if self.sent >= step.repeat {
            self.sent = 0;
            self.step = if step.next == BEGIN { self.begin } else { step.next };
        }
        fields
    }

    /// Another client: in 10.0.0.0/8, with a port that no system gives out by itself (`xorshift32`, Marsaglia 2003).
    #[inline(always)]
    fn renew(&mut self) {
        let mut random = self.address ^ (self.port as u32) << 16 | 1;
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        self.address = 10 << 24 | random & 0x00ff_ffff;
        self.port = 1024 + ((random >> 12) as u16 & 0x7fff);
    }
}

/// TCP flags that count (RFC 9293 section 3.4) and that acknowledge.
mod flags {
    pub(super) const FIN: u8 = 0x01;
    pub(super) const SYN: u8 = 0x02;
    pub(super) const ACK: u8 = 0x10;
}

impl Step {
    /// The segment in this frame, sent once; then the conversation begins. `written` bytes of it are written, as far as it
    /// has them. What differs between connections may have any value in the frame.
    ///
    /// # Panics
    /// When the frame has not the headers of Ethernet, IPv4 without options and TCP, or more than 65 535 bytes.
    pub fn new(frame: &[u8], from_server: bool, written: usize) -> Self {
        assert!(
            frame.len() >= 54 && frame.len() <= usize::from(u16::MAX),
            "a frame of TCP over IPv4"
        );
        let client = from_server as usize;
        let mut step = Self {
            length: frame.len() as u16,
            written: written.max(54).min(frame.len()).min(WRITTEN_MAX) as u16,
            repeat: 1,
            next: BEGIN,
            advance: 0,
            from_server: from_server as u8,
            acknowledges: u8::from(frame[47] & flags::ACK != 0),
            renews: 0,
            reserved: 0,
            ip_sum: sum(&frame[14..34], &[10, 12 + 4 * client, 14 + 4 * client]),
            tcp_sum: 0,
            reserved_too: [0; 6],
            frame: [0; WRITTEN_MAX],
        };
        let payload = frame.len() - 34 - usize::from(frame[46] >> 4) * 4;
        let counted = (frame[47] & flags::SYN != 0) as u16 + (frame[47] & flags::FIN != 0) as u16;
        step.advance = payload as u16 + counted;
        // The pseudo header (RFC 9293 section 3.1): addresses, protocol, length. Both numbers, the client's port, the
        // checksum and the client's address are left out.
        let addresses = sum(&frame[26..34], &[4 * client, 4 * client + 2]);
        let segment = sum(&frame[34..], &[2 * client, 4, 6, 8, 10, 16]);
        let length = (frame.len() - 34) as u32;
        step.tcp_sum = fold(addresses as u32 + segment as u32 + 6 + length);
        let written = usize::from(step.written);
        step.frame[..written].copy_from_slice(&frame[..written]);
        step
    }

    /// Writes the fields into the frame, and the checksums with them.
    #[inline(always)]
    pub fn fill(&mut self, fields: &Fields) {
        let client = fields.from_server as usize;
        let address = fields.address.to_be_bytes();
        let numbers = [fields.sequence, fields.acknowledgment];
        put(&mut self.frame, place::ADDRESSES[client], address);
        put(&mut self.frame, place::PORTS[client], fields.port.to_be_bytes());
        put(&mut self.frame, place::SEQUENCE, numbers[0].to_be_bytes());
        put(&mut self.frame, place::ACKNOWLEDGMENT, numbers[1].to_be_bytes());
        let ip = words(fields.address);
        let tcp = ip + fields.port as u32 + words(numbers[0]) + words(numbers[1]);
        let checksum = |base: u16, added| (!fold(base as u32 + added)).to_be_bytes();
        put(&mut self.frame, place::IP_CHECKSUM, checksum(self.ip_sum, ip));
        put(&mut self.frame, place::TCP_CHECKSUM, checksum(self.tcp_sum, tcp));
    }
}

/// Sum of the big-endian words of `bytes`, but for those at `without` (RFC 1071).
fn sum(bytes: &[u8], without: &[usize]) -> u16 {
    let mut sum = 0;
    for (index, pair) in bytes.chunks(2).enumerate() {
        if !without.contains(&(2 * index)) {
            sum += u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |&low| u32::from(low));
        }
    }
    fold(sum)
}

#[inline(always)]
fn put<const N: usize>(frame: &mut [u8; WRITTEN_MAX], at: usize, bytes: [u8; N]) {
    let mut index = 0;
    while index < N {
        frame[at + index] = bytes[index];
        index += 1;
    }
}

/// Sum of its two 16-bit words.
#[inline(always)]
const fn words(number: u32) -> u32 {
    (number >> 16) + (number & 0xffff)
}

/// One's complement: carries come back in (RFC 1071 section 2).
#[inline(always)]
pub const fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}

/// What the source does with each frame. No padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(C)]
pub struct Setup {
    /// Frames made so far; counted by the source.
    pub made: u64,
    /// Nanoseconds from one frame to the next; 0: as fast as possible.
    pub interval_ns: u64,
    /// When the next frame is due, nanoseconds of kernel time; 0 before the first one of a run.
    pub due_ns: u64,
    /// When the first frame of a run was made; 0 before that.
    pub began_ns: u64,
    /// Interface the frames leave by.
    pub interface: u32,
    /// Connections in use, `1..=FLOWS_MAX`. They take turns, a frame each.
    pub flows: u32,
    /// Whose turn it is.
    pub turn: u32,
    /// Always 0.
    pub reserved: u32,
}

const _: () = assert!(core::mem::size_of::<Setup>() == 48);

#[cfg(test)]
mod tests {
    use super::*;

    /// 46 bytes of payload.
    fn step(from_server: bool, repeat: u16, next: u16) -> Step {
        let mut frame = [0x5a; 100];
        frame[46] = 0x50;
        frame[47] = flags::ACK;
        Step {
            repeat,
            next,
            ..Step::new(&frame, from_server, 60)
        }
    }

    const FLOW: Flow = Flow {
        sequences: [100, u32::MAX - 40],
        address: 0x0a00_0001,
        port: 0x1234,
        step: 0,
        sent: 0,
        begin: 5,
        reserved: 0,
    };

    #[test]
    fn a_step_is_repeated_and_then_the_next_one_comes() {
        let mut flow = FLOW;
        let request = step(false, 2, BEGIN);
        flow.send(&request);
        assert_eq!((flow.step, flow.sent, flow.sequences[0]), (0, 1, 146));
        flow.send(&request);
        assert_eq!((flow.step, flow.sent, flow.sequences[0]), (5, 0, 192));
    }

    #[test]
    fn each_end_has_its_numbers_and_they_wrap() {
        let mut flow = FLOW;
        let fields = flow.send(&step(true, 1, 3));
        assert_eq!((fields.sequence, fields.acknowledgment), (u32::MAX - 40, 100));
        assert_eq!((flow.sequences, flow.step), ([100, 5], 3));
    }

    #[test]
    fn a_renewed_connection_has_another_client_for_all_its_repetitions() {
        let mut flow = FLOW;
        let renewing = Step {
            renews: 1,
            ..step(false, 2, 0)
        };
        flow.send(&renewing);
        let once = (flow.address, flow.port);
        assert_ne!(once, (FLOW.address, FLOW.port));
        assert_eq!(flow.address >> 24, 10);
        flow.send(&renewing);
        assert_eq!((flow.address, flow.port), once);
        flow.send(&renewing);
        assert_ne!((flow.address, flow.port), once);
    }

    #[test]
    fn fields_stand_where_their_sender_has_them() {
        let (mut client, mut server) = (step(false, 1, 0), step(true, 1, 0));
        let mut flow = FLOW;
        let fields = flow.send(&client);
        client.fill(&fields);
        assert_eq!(client.frame[26..30], [10, 0, 0, 1]);
        assert_eq!(client.frame[34..36], [0x12, 0x34]);
        assert_eq!(client.frame[38..42], 100_u32.to_be_bytes());
        let fields = flow.send(&server);
        server.fill(&fields);
        assert_eq!(server.frame[30..34], [10, 0, 0, 1]);
        assert_eq!(server.frame[36..38], [0x12, 0x34]);
        assert_eq!(server.frame[42..46], 146_u32.to_be_bytes());
    }

    #[test]
    fn checksums_take_in_what_is_filled_in_and_what_is_not_written() {
        for from_server in [false, true] {
            let mut whole = [0x5a; 101];
            whole[46] = 0x50;
            let mut step = Step::new(&whole, from_server, 60);
            let mut flow = FLOW;
            let fields = flow.send(&step);
            step.fill(&fields);
            whole[..60].copy_from_slice(&step.frame[..60]);
            assert_eq!(sum(&whole[14..34], &[]), 0xffff);
            let pseudo = u32::from(sum(&whole[26..34], &[])) + 6 + 67;
            assert_eq!(fold(pseudo + u32::from(sum(&whole[34..], &[]))), 0xffff);
        }
    }

    #[test]
    fn a_syn_takes_a_sequence_number_and_acknowledges_nothing() {
        let mut frame = [0; 54];
        (frame[46], frame[47]) = (0x50, flags::SYN);
        let step = Step::new(&frame, false, 0);
        assert_eq!((step.advance, step.acknowledges, step.written), (1, 0, 54));
        assert_eq!(FLOW.clone().send(&step).acknowledgment, 0);
    }
}
