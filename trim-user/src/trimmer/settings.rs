//! What a trimmer needs to know of the configuration.

/// Which TCP ports carry HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Any port: a flow is HTTP when its bytes say so.
    Any,
    /// Only flows with one of these ports (sorted); of those, the ones whose bytes say so.
    Only(Vec<u16>),
}

impl Ports {
    /// Whether a flow between these two ports may be HTTP.
    pub fn admit(&self, one: u16, other: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Only(ports) => ports.binary_search(&one).is_ok() || ports.binary_search(&other).is_ok(),
        }
    }
}

/// Settings and bounds of a trimmer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Ports on which HTTP is looked for.
    pub ports: Ports,
    /// First bytes of each message body that are kept, bytes.
    pub body_keep_bytes: u32,
    /// Lower-case names of header fields whose values are overwritten.
    pub redact_headers: Vec<Box<str>>,
    /// Longest header block that is followed, bytes; a longer one loses its framing and is kept.
    pub max_header_block: u32,
    /// Most flows in the table; the least recently used one makes room.
    pub max_flows: usize,
    /// Most bytes held for reassembly over all flows.
    pub reassembly_bytes: usize,
    /// Most bytes held for reassembly in one direction of one flow.
    pub reassembly_bytes_per_direction: usize,
    /// For how long `legacy` waits for bytes whose receiver has acknowledged them, nanoseconds of capture time.
    pub hold_acknowledged_ns: u64,
    /// How far `scanning` looks for the end of a header block, bytes from its start.
    pub scan_window: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ports: Ports::Any,
            body_keep_bytes: 0,
            redact_headers: Vec::new(),
            max_header_block: 256 << 10,
            max_flows: 1 << 20,
            reassembly_bytes: 256 << 20,
            reassembly_bytes_per_direction: 4 << 20,
            hold_acknowledged_ns: 10_000_000,
            scan_window: 8192,
        }
    }
}
