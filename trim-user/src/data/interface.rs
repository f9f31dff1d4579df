//! What capture files say about the interfaces that packets were seen on.

use crate::packet::LinkType;

/// Description of one capture interface (pcapng Interface Description Block; a pcap file has exactly one).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// How its packets begin.
    pub link_type: LinkType,
    /// Most bytes captured of each packet; 0 is no limit.
    pub snaplen: u32,
    /// Bytes of frame check sequence at the end of each packet, where that is known.
    pub fcs_length: Option<u8>,
    /// Name in the operating system, such as `eth0`.
    pub name: Option<Box<str>>,
    /// A text for people.
    pub description: Option<Box<str>>,
    /// The capture filter in the language of libpcap.
    pub filter: Option<Box<str>>,
    /// Speed, bits per second.
    pub speed: Option<u64>,
    /// Options that are carried along without being interpreted.
    pub other: Vec<InterfaceOption>,
    /// Unit in which its packets' times were recorded.
    pub resolution: TimeResolution,
}

impl Interface {
    /// An interface of which nothing is known but its link type.
    pub fn new(link_type: LinkType) -> Self {
        Self {
            link_type,
            snaplen: 0,
            fcs_length: None,
            name: None,
            description: None,
            filter: None,
            speed: None,
            other: Vec::new(),
            resolution: TimeResolution::NANOSECONDS,
        }
    }
}

/// A pcapng interface option whose value does not depend on the byte order of its section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceOption {
    /// Option code (pcapng section 4.2).
    pub code: u16,
    /// The value, without padding.
    pub value: Box<[u8]>,
}

/// A unit of time as pcapng writes it (`if_tsresol`): a negative power of ten, or of two where the top bit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeResolution(pub u8);

impl TimeResolution {
    /// 10^-6 s, the default of pcapng.
    pub const MICROSECONDS: Self = Self(6);
    /// 10^-9 s, what `trim` writes.
    pub const NANOSECONDS: Self = Self(9);

    /// Whether every time in this unit is a whole number of microseconds.
    pub const fn fits_microseconds(self) -> bool {
        self.0 <= 6
    }
}

/// Packet counts of an interface since the capture began (pcapng Interface Statistics Block).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatistics {
    /// When they were read, nanoseconds since 1970-01-01 UTC.
    pub time_ns: u64,
    /// When the capture began, nanoseconds since 1970-01-01 UTC.
    pub start_ns: Option<u64>,
    /// When the capture ended, nanoseconds since 1970-01-01 UTC.
    pub end_ns: Option<u64>,
    /// Packets received by the interface.
    pub received: Option<u64>,
    /// Packets lost by the interface for want of resources.
    pub dropped: Option<u64>,
    /// Packets that the capture filter let through.
    pub accepted: Option<u64>,
    /// Packets lost by the operating system.
    pub dropped_by_system: Option<u64>,
    /// Packets delivered to the capturing program.
    pub delivered: Option<u64>,
}
