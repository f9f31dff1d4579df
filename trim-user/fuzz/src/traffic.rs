//! From bytes to TCP traffic: a few flows, each with a plain conversation first and then anything at all.

use arbitrary::{Result, Unstructured};
use trim_common::flow::{Direction, FlowKey};
use trim_user::packet::TcpFlags;
use trim_user::trimmer::{Ports, Segment, Settings};

use super::plain::{Conversation, Truth, take};

/// Most packets of one input.
const MOST_PACKETS: usize = 400;

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// One TCP segment as it was captured.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Index of its flow.
    pub flow: usize,
    /// 0 from the client, 1 from the server.
    pub side: usize,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// TCP flags.
    pub flags: u8,
    /// What was captured of the payload.
    pub payload: Vec<u8>,
    /// Payload bytes that a snaplen cut off.
    pub missing: u32,
    /// Capture time, nanoseconds; grows from packet to packet.
    pub time: u64,
    /// Part of a plain conversation, at the moment when it is held.
    pub in_order: bool,
    /// What the bytes at these places were in the plain conversation; empty when that is not known.
    pub truth: Vec<Option<Truth>>,
}

/// All packets, and how they are to be judged.
#[derive(Debug)]
pub struct Traffic {
    /// What the trimmers are told.
    pub settings: Settings,
    /// The bounds are so wide that a plain conversation meets none of them.
    pub roomy: bool,
    /// In the order of capture.
    pub packets: Vec<Packet>,
    /// After the packet with this index, the one `back` before it is wanted back.
    pub releases: Vec<(usize, usize)>,
}

/// Addresses and ports of a flow: client, then server.
pub fn endpoints(flow: usize) -> [([u8; 4], u16); 2] {
    let port = 40_000 + flow as u16;
    [([10, 0, 0, 1], port), ([10, 0, 0, 2], [80, 8080, 40_001][flow % 3])]
}

impl Packet {
    /// As a trimmer sees it.
    pub fn segment(&self) -> Segment<'_> {
        let map = |address: [u8; 4]| trim_common::flow::map_ipv4(address);
        let ends = endpoints(self.flow);
        let (from, to) = (ends[self.side], ends[1 - self.side]);
        let (flow, direction): (FlowKey, Direction) = FlowKey::new(map(from.0), from.1, map(to.0), to.1);
        Segment {
            flow,
            direction,
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: TcpFlags(self.flags),
            payload: &self.payload,
            wire_payload: self.payload.len() as u32 + self.missing,
            time: self.time,
        }
    }
}

struct Flow {
    initial: [u32; 2],
    conversation: Conversation,
    /// How far each side has come, bytes of its stream; beyond the conversation too.
    sent: [usize; 2],
    /// No SYN, no RST and no far sequence number came after the conversation began.
    undisturbed: bool,
}

struct Scribe<'u, 'd> {
    u: &'u mut Unstructured<'d>,
    flows: Vec<Flow>,
    packets: Vec<Packet>,
    releases: Vec<(usize, usize)>,
    time: u64,
}

impl Traffic {
    /// Reads traffic from any bytes.
    pub fn decode(data: &[u8]) -> Self {
        let mut unstructured = Unstructured::new(data);
        let (settings, roomy) = settings(&mut unstructured).unwrap_or_else(|_| (Settings::default(), true));
        let mut scribe = Scribe {
            u: &mut unstructured,
            flows: Vec::new(),
            packets: Vec::new(),
            releases: Vec::new(),
            time: 1_000_000_000,
        };
        // The end of the input ends the traffic, wherever that is.
        let _ = scribe.write();
        let Scribe { packets, releases, .. } = scribe;
        Self {
            settings,
            roomy,
            packets,
            releases,
        }
    }
}

fn settings(u: &mut Unstructured<'_>) -> Result<(Settings, bool)> {
    let choice: u8 = u.arbitrary()?;
    let mut settings = Settings::default();
    if choice & 1 != 0 {
        settings.redact_headers = vec!["cookie".into(), "host".into()];
    }
    if choice & 2 != 0 {
        settings.body_keep_bytes = u.int_in_range(0..=200)?;
    }
    let roomy = choice & 0x0c != 0x0c;
    if !roomy {
        settings.max_header_block = u.int_in_range(16..=400)?;
        settings.scan_window = u.int_in_range(16..=400)?;
        settings.max_flows = u.int_in_range(1..=3)?;
        settings.reassembly_bytes = u.int_in_range(0..=20_000)?;
        settings.reassembly_bytes_per_direction = u.int_in_range(0..=9_000)?;
    }
    if choice & 0xf0 == 0xf0 {
        settings.ports = Ports::Only(vec![80]);
    }
    Ok((settings, roomy && !matches!(choice & 0xf0, 0xf0)))
}

impl Scribe<'_, '_> {
    fn write(&mut self) -> Result<()> {
        for flow in 0..self.u.int_in_range(1..=3_usize)? {
            self.converse(flow)?;
            for _ in 0..self.u.int_in_range(0..=60_u8)? {
                self.anything()?;
            }
        }
        while !self.u.is_empty() && self.packets.len() < MOST_PACKETS {
            self.anything()?;
        }
        Ok(())
    }

    /// A whole conversation in order, from the SYN on.
    fn converse(&mut self, flow: usize) -> Result<()> {
        let initial = [self.u.arbitrary()?, self.u.arbitrary()?];
        let conversation = Conversation::decode(self.u)?;
        let talks = !conversation.turns.is_empty();
        self.flows.push(Flow {
            initial,
            conversation,
            sent: [0; 2],
            undisturbed: true,
        });
        if talks {
            self.push(flow, 0, SYN, 0, &[], true);
            self.push(flow, 1, SYN | ACK, 0, &[], true);
        }
        for (side, to) in self.flows[flow].conversation.turns.clone() {
            self.say(flow, side, to)?;
        }
        Ok(())
    }

    fn say(&mut self, flow: usize, side: usize, to: usize) -> Result<()> {
        let most = [1460, 1460, 400, 30][self.u.int_in_range(0..=3_usize)?];
        while self.flows[flow].sent[side] < to && self.packets.len() < MOST_PACKETS {
            let from = self.flows[flow].sent[side];
            let length = if most == 30 {
                self.u.int_in_range(1..=30_usize)?
            } else {
                most
            };
            let end = (from + length).min(to);
            let bytes = self.flows[flow].conversation.streams[side].bytes[from..end].to_vec();
            self.push(flow, side, ACK, from as i64, &bytes, true);
            self.flows[flow].sent[side] = end;
        }
        Ok(())
    }

    /// Appends a packet whose payload begins `offset` bytes behind the start of its side's stream.
    fn push(&mut self, flow: usize, side: usize, flags: u8, offset: i64, payload: &[u8], in_order: bool) {
        self.time += 1_000;
        let Flow {
            initial,
            conversation,
            sent,
            undisturbed,
        } = &self.flows[flow];
        let stream = &conversation.streams[side];
        let place = |at: usize| {
            usize::try_from(offset + at as i64)
                .ok()
                .and_then(|at| stream.truth.get(at).copied())
        };
        let truth = match undisturbed {
            true => (0..payload.len()).map(place).collect(),
            false => Vec::new(),
        };
        let sequence = initial[side]
            .wrapping_add(u32::from(flags & SYN == 0))
            .wrapping_add(offset as u32);
        let acknowledgment = initial[1 - side].wrapping_add(1).wrapping_add(sent[1 - side] as u32);
        self.packets.push(Packet {
            flow,
            side,
            sequence,
            acknowledgment: if flags & ACK == 0 { 0 } else { acknowledgment },
            flags,
            payload: payload.to_vec(),
            missing: 0,
            time: self.time,
            in_order,
            truth,
        });
    }

    /// One more packet, of any flow that has begun, or something else that happens.
    fn anything(&mut self) -> Result<()> {
        if self.packets.len() >= MOST_PACKETS {
            return Ok(());
        }
        let flow = self.u.int_in_range(0..=self.flows.len() - 1)?;
        let side = usize::from(self.u.arbitrary::<bool>()?);
        match self.u.int_in_range(0..=15_u8)? {
            0..=3 => self.go_on(flow, side),
            4..=6 => self.again(flow, side),
            7..=9 => self.message(flow, side),
            10 | 11 => self.anywhere(flow, side),
            12 => {
                self.time += u64::from(self.u.arbitrary::<u32>()?);
                Ok(())
            }
            13 => {
                let back = self.u.int_in_range(0..=40)?;
                self.releases.push((self.packets.len(), back));
                Ok(())
            }
            14 => self.snap(),
            _ => self.flags(flow, side),
        }
    }

    /// The next bytes of a stream, after a hole perhaps.
    fn go_on(&mut self, flow: usize, side: usize) -> Result<()> {
        let length = self.u.int_in_range(0..=200_usize)?;
        let payload = take(self.u, length).to_vec();
        let hole = self.hole()?;
        self.append(flow, side, hole, &payload);
        Ok(())
    }

    fn hole(&mut self) -> Result<usize> {
        Ok(match self.u.int_in_range(0..=4_u8)? {
            0 => self.u.int_in_range(1..=3000)?,
            _ => 0,
        })
    }

    fn append(&mut self, flow: usize, side: usize, hole: usize, payload: &[u8]) {
        let from = self.flows[flow].sent[side] + hole;
        self.push(flow, side, ACK, from as i64, payload, false);
        self.flows[flow].sent[side] = from + payload.len();
    }

    /// A stretch of the conversation once more, sometimes with another byte in it.
    fn again(&mut self, flow: usize, side: usize) -> Result<()> {
        let stream = &self.flows[flow].conversation.streams[side].bytes;
        let from = self.u.int_in_range(0..=stream.len())?;
        let length = self.u.int_in_range(0..=1500_usize)?;
        let mut payload = stream[from..stream.len().min(from + length)].to_vec();
        if self.u.int_in_range(0..=7_u8)? == 0 && !payload.is_empty() {
            let at = self.u.int_in_range(0..=payload.len() - 1)?;
            payload[at] ^= 0x20;
        }
        self.push(flow, side, ACK, from as i64, &payload, false);
        Ok(())
    }

    /// The beginning of a message, or of several, as the next bytes of a stream.
    fn message(&mut self, flow: usize, side: usize) -> Result<()> {
        const TEXTS: [&str; 16] = [
            "GET / HTTP/1.1\r\n\r\n",
            "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 300\r\n\r\n",
            "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n",
            "CONNECT a:1 HTTP/1.1\r\n\r\n",
            "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "GET /simple\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n",
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 304\r\n\r\n",
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "\r\nHTTP/1.1 20",
        ];
        let text = TEXTS[self.u.int_in_range(0..=TEXTS.len() - 1)?].as_bytes();
        let cut = self.u.int_in_range(0..=text.len())?;
        let hole = self.hole()?;
        if cut == 0 || cut == text.len() {
            self.append(flow, side, hole, text);
            return Ok(());
        }
        self.append(flow, side, hole, &text[..cut]);
        let gap = self.hole()?;
        self.append(flow, side, gap, &text[cut..]);
        if self.u.arbitrary()? {
            // They arrive in the other order.
            let count = self.packets.len();
            let (times, last) = (self.packets[count - 2].time, self.packets[count - 1].time);
            self.packets.swap(count - 2, count - 1);
            (self.packets[count - 2].time, self.packets[count - 1].time) = (times, last);
        }
        Ok(())
    }

    /// Bytes at any place near the streams, or far away.
    fn anywhere(&mut self, flow: usize, side: usize) -> Result<()> {
        let offset = if self.u.int_in_range(0..=9_u8)? == 0 {
            self.flows[flow].undisturbed = false;
            i64::from(self.u.arbitrary::<u32>()?)
        } else {
            let behind = self.flows[flow].sent[side] as i64;
            behind + i64::from(self.u.arbitrary::<i16>()? / 4)
        };
        let length = self.u.int_in_range(0..=200_usize)?;
        let payload = take(self.u, length).to_vec();
        self.push(flow, side, ACK, offset, &payload, false);
        Ok(())
    }

    /// A snaplen cuts the last packet.
    fn snap(&mut self) -> Result<()> {
        let length = self.u.int_in_range(0..=100_usize)?;
        let wire = self.u.int_in_range(0..=u32::from(u16::MAX))?;
        if let Some(packet) = self.packets.last_mut().filter(|packet| !packet.in_order) {
            let before = packet.payload.len();
            packet.payload.truncate(length);
            packet.truth.truncate(length);
            packet.missing += (before - packet.payload.len()) as u32;
            // Seldom a datagram longer than any that was sent.
            packet.missing = if wire < 200 { wire * 300 } else { packet.missing };
        }
        Ok(())
    }

    /// The last packet, if it is no part of a conversation, or an empty one gets any flags.
    fn flags(&mut self, flow: usize, side: usize) -> Result<()> {
        let flags = self.u.arbitrary::<u8>()? & 0x3f;
        let length = self.u.int_in_range(0..=60_usize)?;
        let payload = take(self.u, length).to_vec();
        let offset = self.flows[flow].sent[side] as i64 + i64::from(self.u.arbitrary::<i8>()?);
        if flags & (SYN | RST) != 0 {
            self.flows[flow].undisturbed = false;
        }
        self.push(flow, side, flags, offset, &payload, false);
        Ok(())
    }
}
