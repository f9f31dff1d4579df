//! Capture files made by hand, byte by byte, independently of the writers of the program.

/// A file in one byte order.
pub(crate) struct Builder {
    big: bool,
    pub(crate) bytes: Vec<u8>,
    /// Where each record or block ends.
    pub(crate) ends: Vec<usize>,
}

impl Builder {
    pub(crate) fn new(big: bool) -> Self {
        Self {
            big,
            bytes: Vec::new(),
            ends: Vec::new(),
        }
    }

    fn u16(&self, value: u16) -> [u8; 2] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u32(&self, value: u32) -> [u8; 4] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u64(&self, value: u64) -> [u8; 8] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn mark(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// File header of pcap 2.`minor`.
    pub(crate) fn pcap(mut self, magic: u32, minor: u16, network: u32) -> Self {
        let parts = [
            &self.u32(magic)[..],
            &self.u16(2),
            &self.u16(minor),
            &[0; 8],
            &self.u32(65535),
            &self.u32(network),
        ];
        self.bytes.extend(parts.concat());
        self.mark();
        self
    }

    /// A pcap record; `extra` stands between its header and the packet.
    pub(crate) fn record(mut self, time: (u32, u32), lengths: (u32, u32), extra: &[u8], data: &[u8]) -> Self {
        let parts = [time.0, time.1, lengths.0, lengths.1]
            .map(|value| self.u32(value))
            .concat();
        self.bytes.extend([&parts, extra, data].concat());
        self.mark();
        self
    }

    /// A pcapng block of any type.
    pub(crate) fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = self.u32((body.len() + padding + 12) as u32);
        let block = [&self.u32(kind)[..], &length, body, &[0; 3][..padding], &length].concat();
        self.bytes.extend(block);
        self.mark();
        self
    }

    /// A section header; what follows is in byte order `big`.
    pub(crate) fn section(mut self, big: bool) -> Self {
        self.big = big;
        let body = [&self.u32(0x1a2b_3c4d)[..], &self.u16(1), &self.u16(0), &[0xff; 8]].concat();
        self.block(0x0a0d_0d0a, &body)
    }

    /// An option, padded.
    pub(crate) fn option(&self, code: u16, value: &[u8]) -> Vec<u8> {
        let padding = value.len().next_multiple_of(4) - value.len();
        [
            &self.u16(code)[..],
            &self.u16(value.len() as u16),
            value,
            &[0; 3][..padding],
        ]
        .concat()
    }

    /// An option with a 64-bit number.
    pub(crate) fn option_u64(&self, code: u16, value: u64) -> Vec<u8> {
        self.option(code, &self.u64(value))
    }

    /// An interface description with these options.
    pub(crate) fn interface(self, link_type: u16, snaplen: u32, options: &[Vec<u8>]) -> Self {
        let mut body = [&self.u16(link_type)[..], &[0; 2], &self.u32(snaplen)].concat();
        if !options.is_empty() {
            body.extend(options.concat());
            body.extend(self.option(0, &[]));
        }
        self.block(1, &body)
    }

    fn halves(&self, time: u64) -> [u8; 8] {
        let mut halves = [0; 8];
        halves[..4].copy_from_slice(&self.u32((time >> 32) as u32));
        halves[4..].copy_from_slice(&self.u32(time as u32));
        halves
    }

    /// An Enhanced Packet Block.
    pub(crate) fn packet(self, interface: u32, ticks: u64, original: u32, data: &[u8]) -> Self {
        let captured = self.u32(data.len() as u32);
        let mut body = [
            &self.u32(interface)[..],
            &self.halves(ticks),
            &captured,
            &self.u32(original),
            data,
        ]
        .concat();
        body.resize(body.len().next_multiple_of(4), 0);
        // A comment behind the packet, as Wireshark writes it, must not become part of the packet.
        body.extend(self.option(1, b"comment"));
        body.extend(self.option(0, &[]));
        self.block(6, &body)
    }

    /// An obsolete Packet Block.
    pub(crate) fn obsolete_packet(self, interface: u16, ticks: u64, original: u32, data: &[u8]) -> Self {
        let start = [&self.u16(interface)[..], &self.u16(9), &self.halves(ticks)].concat();
        let body = [&start, &self.u32(data.len() as u32)[..], &self.u32(original), data].concat();
        self.block(2, &body)
    }

    /// A Simple Packet Block.
    pub(crate) fn simple_packet(self, original: u32, data: &[u8]) -> Self {
        let body = [&self.u32(original)[..], data].concat();
        self.block(3, &body)
    }

    /// An Interface Statistics Block with the counts of received and dropped packets.
    pub(crate) fn statistics(self, interface: u32, ticks: u64, received: u64, dropped: u64) -> Self {
        let options = [
            self.option_u64(4, received),
            self.option_u64(5, dropped),
            self.option(0, &[]),
        ]
        .concat();
        let body = [&self.u32(interface)[..], &self.halves(ticks), &options].concat();
        self.block(5, &body)
    }
}
