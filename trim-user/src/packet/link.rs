//! Link types of capture files.

/// A link type as capture files number them (the `LINKTYPE_` list of the pcapng specification).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// Ethernet, what AF_XDP delivers.
    pub const ETHERNET: Self = Self(1);
}
