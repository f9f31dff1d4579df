//! What can be chosen about a queue's sockets, and the checked form that reaches the kernel.

use std::fmt;

use super::error::XskError;

/// Space that the kernel leaves in front of each packet, bytes (`XDP_PACKET_HEADROOM`, include/uapi/linux/bpf.h).
pub const KERNEL_HEADROOM: u32 = 256;
/// Ethernet header and two VLAN tags: what a frame may carry on top of the MTU, bytes.
const LINK_OVERHEAD: u32 = 14 + 2 * 4;
/// Least packet bytes a frame must hold, so that every minimal Ethernet frame with its tags fits.
const LEAST_CAPACITY: u32 = 128;
/// Most entries of a ring. The kernel takes more, but no pool of 4 GiB can fill one.
const MOST_RING_ENTRIES: u32 = 1 << 21;

/// Which pages the frame pool is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HugePages {
    /// Pages of 2 MiB when enough are reserved (`vm.nr_hugepages`), else normal ones.
    #[default]
    Auto,
    /// Normal pages.
    Never,
    /// Pages of 2 MiB, or an error.
    Always,
}

/// How packets get from the driver into the frame pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BindMode {
    /// Zero-copy when the driver has it, else copy.
    #[default]
    Auto,
    /// The device writes into the pool itself, or an error.
    ZeroCopy,
    /// The kernel copies each packet into the pool.
    Copy,
}

impl fmt::Display for BindMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::ZeroCopy => "zero_copy",
            Self::Copy => "copy",
        })
    }
}

/// Busy polling: the thread that waits for packets also runs the driver's receive loop (`SO_PREFER_BUSY_POLL`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusyPoll {
    /// How long one call may poll the device, microseconds.
    pub microseconds: u32,
    /// Most packets per call.
    pub budget: u32,
}

impl BusyPoll {
    /// What the kernel's own receive loop takes at once (NAPI_POLL_WEIGHT, include/linux/netdevice.h), packets.
    pub const BUDGET: u32 = 64;
}

/// Choices for one queue, as they come from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes per frame: 2048, or 4096 for jumbo frames.
    pub frame_size: u32,
    /// Frames in the pool of each queue.
    pub frame_count: u32,
    /// Space in front of each packet on top of the kernel's own 256 bytes, bytes.
    pub headroom: u32,
    /// Entries of the fill ring: how many packets the kernel can take before this process hands frames back. Smaller
    /// than `frame_count` keeps the frames in use few and warm in the cache; the rest is for packets that wait here.
    pub fill_ring: u32,
    /// Entries of each socket's RX ring.
    pub rx_ring: u32,
    /// Which pages the pool is made of.
    pub huge_pages: HugePages,
    /// Zero-copy or copy.
    pub bind: BindMode,
    /// Busy polling, if wanted.
    pub busy_poll: Option<BusyPoll>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            frame_size: 2048,
            frame_count: 8192,
            headroom: 0,
            fill_ring: 4096,
            rx_ring: 4096,
            huge_pages: HugePages::Auto,
            bind: BindMode::Auto,
            busy_poll: None,
        }
    }
}

impl Options {
    /// Checks the choices against the kernel's rules and the MTU of the interface (bytes).
    ///
    /// # Errors
    /// The first choice that the kernel would refuse, or that would make it drop packets of full size.
    pub fn check(self, mtu: u32) -> Result<Settings, XskError> {
        let Self {
            frame_size, headroom, ..
        } = self;
        if !matches!(frame_size, 2048 | 4096) {
            return Err(XskError::FrameSize(frame_size));
        }
        let most = (1_u64 << 32).div_euclid(u64::from(frame_size)) as u32;
        if self.frame_count == 0 || self.frame_count > most {
            return Err(XskError::FrameCount {
                count: self.frame_count,
                frame_size,
                most,
            });
        }
        // The kernel also wants room for a `skb_shared_info` (320 bytes on 64-bit) and 128 bytes of packet.
        let most = frame_size - KERNEL_HEADROOM - 320 - LEAST_CAPACITY;
        if headroom > most || !headroom.is_multiple_of(8) {
            return Err(XskError::Headroom {
                headroom,
                frame_size,
                most,
            });
        }
        check_ring("fill_ring", self.fill_ring)?;
        check_ring("rx_ring", self.rx_ring)?;
        let settings = Settings(self);
        let (needed, capacity) = (mtu.saturating_add(LINK_OVERHEAD), settings.capacity());
        if needed > capacity {
            return Err(XskError::MtuTooLarge {
                mtu,
                needed,
                frame_size,
                capacity,
            });
        }
        Ok(settings)
    }
}

fn check_ring(ring: &'static str, entries: u32) -> Result<(), XskError> {
    if entries.is_power_of_two() && (2..=MOST_RING_ENTRIES).contains(&entries) {
        Ok(())
    } else {
        Err(XskError::RingSize {
            ring,
            entries,
            most: MOST_RING_ENTRIES,
        })
    }
}

/// Checked [`Options`]; the only form that reaches the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings(Options);

impl Settings {
    /// The choices.
    pub const fn options(&self) -> &Options {
        &self.0
    }

    /// Packet bytes that fit into a frame.
    pub const fn capacity(&self) -> u32 {
        self.0.frame_size - self.0.headroom - KERNEL_HEADROOM
    }

    /// Where a packet starts inside its frame when the XDP program does not move it, bytes.
    pub const fn packet_offset(&self) -> u32 {
        self.0.headroom + KERNEL_HEADROOM
    }

    /// Size of the whole pool, bytes.
    pub const fn pool_bytes(&self) -> usize {
        self.0.frame_count as usize * self.0.frame_size as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETHERNET: u32 = 1500;

    #[test]
    fn the_defaults_hold_ethernet_frames() {
        let settings = Options::default().check(ETHERNET).unwrap();
        assert_eq!(settings.capacity(), 1792);
        assert_eq!(settings.packet_offset(), 256);
    }

    #[test]
    fn a_jumbo_mtu_needs_larger_frames() {
        let refused = Options::default().check(1771).unwrap_err();
        assert!(refused.to_string().contains("set frame_size to 4096"), "{refused}");
        assert!(Options::default().check(1770).is_ok());
        assert!(
            Options {
                frame_size: 4096,
                ..Options::default()
            }
            .check(3818)
            .is_ok()
        );
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused_here() {
        let good = Options::default();
        for (bad, word) in [
            (
                Options {
                    frame_size: 3000,
                    ..good
                },
                "frame_size 3000",
            ),
            (Options { frame_count: 0, ..good }, "frames_per_queue 0"),
            (
                Options {
                    frame_count: (1 << 21) + 1,
                    ..good
                },
                "frames_per_queue 2097153",
            ),
            (
                Options {
                    fill_ring: 3000,
                    ..good
                },
                "fill_ring 3000",
            ),
            (Options { rx_ring: 0, ..good }, "rx_ring 0"),
            (Options { headroom: 4, ..good }, "headroom 4"),
            (Options { headroom: 2048, ..good }, "headroom 2048"),
        ] {
            let error = bad.check(100).unwrap_err().to_string();
            assert!(error.starts_with(word), "{error}");
        }
    }
}
