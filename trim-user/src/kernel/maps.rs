//! The program's maps, each with the few operations that make sense on it.
//!
//! Every type owns its map: hand each to the one part of the program that uses it.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aya::Ebpf;
use aya::maps::{Array, HashMap, Map, MapData, MapError, PerCpuArray, XskMap};
use trim_common::assign::{FlowState, http};
use trim_common::cut::{CutKey, CutRange, LIFETIME_NS};
use trim_common::flow::FlowKey;
use trim_common::maps::{self, PolicyWord, Setup, port_bit, socket_index};
use trim_common::reason::{Class, Reason};
use trim_common::strategy::{Mode, Split, Strategy};

use super::bare::bpf;
use super::error::KernelError;

/// Everything that can be said to the program and heard from it.
pub struct Maps {
    /// Mode, split and generation.
    pub policy: PolicyMap,
    /// The settings.
    pub setup: SetupMap,
    /// Ports that carry HTTP.
    pub ports: PortsMap,
    /// The lease.
    pub lease: LeaseMap,
    /// Counters by reason.
    pub counters: CountersMap,
    /// The flow table.
    pub flows: FlowsMap,
    /// Sequence ranges that are known to be body.
    pub cuts: CutsMap,
    /// The sockets that packets are steered to.
    pub sockets: SocketsMap,
}

impl Maps {
    pub(super) fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        Ok(Self {
            policy: PolicyMap(take(ebpf, maps::POLICY)?),
            setup: SetupMap(take(ebpf, maps::SETUP)?),
            ports: PortsMap(take(ebpf, maps::PORTS)?),
            lease: LeaseMap(take(ebpf, maps::LEASE)?),
            counters: CountersMap(take(ebpf, maps::COUNTERS)?),
            flows: FlowsMap(take(ebpf, maps::FLOWS)?),
            cuts: CutsMap::take(ebpf)?,
            sockets: SocketsMap(take(ebpf, maps::SOCKETS)?),
        })
    }
}

/// Takes a map out of the object as the type it must have.
pub(super) fn take<T: TryFrom<Map, Error = MapError>>(ebpf: &mut Ebpf, name: &'static str) -> Result<T, KernelError> {
    let map = ebpf.take_map(name).ok_or_else(|| KernelError::BadObject {
        reason: format!("it has no map {name}"),
    })?;
    T::try_from(map).map_err(KernelError::map(name, "open"))
}

/// Opens a map that a running `trim` has pinned in `directory`.
fn open_pinned(directory: &Path, name: &'static str, wrap: fn(MapData) -> Map) -> Result<Map, KernelError> {
    MapData::from_pin(directory.join(name))
        .map(wrap)
        .map_err(KernelError::map(name, "open the pinned copy of"))
}

/// Mode, split and generation: what [`PolicyWord`] holds.
pub struct PolicyMap(Array<MapData, u64>);

impl PolicyMap {
    /// The pinned map of a `trim` that may be hung or dead.
    pub fn open(directory: &Path) -> Result<Self, KernelError> {
        let map = open_pinned(directory, maps::POLICY, Map::Array)?;
        Array::try_from(map)
            .map(Self)
            .map_err(KernelError::map(maps::POLICY, "open"))
    }

    /// The policy in force.
    pub fn get(&self) -> Result<PolicyWord, KernelError> {
        self.0
            .get(&0, 0)
            .map(PolicyWord::from_bits)
            .map_err(KernelError::map(maps::POLICY, "read"))
    }

    /// Puts a policy in force. One write; packets that enter the program afterwards follow it.
    pub fn switch(&mut self, word: PolicyWord) -> Result<(), KernelError> {
        self.0
            .set(0, word.bits(), 0)
            .map_err(KernelError::map(maps::POLICY, "write"))
    }

    /// Puts mode and split in force for every flow: bumps the generation. The word that is now in force.
    pub fn switch_immediately(&mut self, mode: Mode, split: Split) -> Result<PolicyWord, KernelError> {
        let word = self.get()?.immediate(mode, split);
        self.switch(word).map(|()| word)
    }

    /// Puts mode and split in force for flows that begin from now on. The word that is now in force.
    pub fn switch_draining(&mut self, mode: Mode, split: Split) -> Result<PolicyWord, KernelError> {
        let word = self.get()?.drain(mode, split);
        self.switch(word).map(|()| word)
    }
}

/// What changes seldom or never while a capture runs.
pub struct SetupMap(Array<MapData, Setup>);

impl SetupMap {
    /// The settings in force.
    pub fn get(&self) -> Result<Setup, KernelError> {
        self.0.get(&0, 0).map_err(KernelError::map(maps::SETUP, "read"))
    }

    /// Replaces the settings. Not atomic as a whole, but each field is; set them before attaching, and later change
    /// one at a time.
    pub fn set(&mut self, setup: Setup) -> Result<(), KernelError> {
        self.0.set(0, setup, 0).map_err(KernelError::map(maps::SETUP, "write"))
    }
}

/// The TCP ports that carry HTTP.
pub struct PortsMap(Array<MapData, u64>);

impl PortsMap {
    /// Replaces the set of ports. Flows already in the table keep what they were taken for.
    pub fn set(&mut self, ports: &BTreeSet<u16>) -> Result<(), KernelError> {
        let mut words = vec![0u64; maps::PORT_WORDS as usize];
        for port in ports {
            let (word, bit) = port_bit(*port);
            words[word as usize] |= bit;
        }
        for (index, word) in (0u32..).zip(words) {
            let error = || KernelError::map(maps::PORTS, "write");
            if self.0.get(&index, 0).map_err(KernelError::map(maps::PORTS, "read"))? != word {
                self.0.set(index, word, 0).map_err(error())?;
            }
        }
        Ok(())
    }
}

/// The lease: without renewal within [`Setup::lease_ns`] the program sends all flows to legacy.
pub struct LeaseMap(Array<MapData, u64>);

impl LeaseMap {
    /// The pinned map of a `trim` that may be hung or dead.
    pub fn open(directory: &Path) -> Result<Self, KernelError> {
        let map = open_pinned(directory, maps::LEASE, Map::Array)?;
        Array::try_from(map)
            .map(Self)
            .map_err(KernelError::map(maps::LEASE, "open"))
    }

    /// Renews the lease at `now` (CLOCK_MONOTONIC, nanoseconds: what `bpf_ktime_get_ns()` counts).
    pub fn renew(&mut self, now: u64) -> Result<(), KernelError> {
        self.0.set(0, now, 0).map_err(KernelError::map(maps::LEASE, "write"))
    }

    /// Gives the lease up: from now on none is needed.
    pub fn give_up(&mut self) -> Result<(), KernelError> {
        self.renew(0)
    }

    /// When the lease was last renewed; 0 when none is needed.
    pub fn renewed(&self) -> Result<u64, KernelError> {
        self.0.get(&0, 0).map_err(KernelError::map(maps::LEASE, "read"))
    }
}

/// The program's counters.
pub struct CountersMap(PerCpuArray<MapData, maps::Counters>);

impl CountersMap {
    /// The pinned map of a `trim` that may be hung or dead.
    pub fn open(directory: &Path) -> Result<Self, KernelError> {
        let map = open_pinned(directory, maps::COUNTERS, Map::PerCpuArray)?;
        PerCpuArray::try_from(map)
            .map(Self)
            .map_err(KernelError::map(maps::COUNTERS, "open"))
    }

    /// The counters, summed over all CPUs. While packets come in, a packet may already be counted as seen and not yet
    /// under its terminal reason; after detaching, the sums agree.
    pub fn read(&self) -> Result<Counts, KernelError> {
        let per_cpu = self.0.get(&0, 0).map_err(KernelError::map(maps::COUNTERS, "read"))?;
        let mut counts = Counts::default();
        for cpu in per_cpu.iter() {
            for (sum, count) in counts.0.iter_mut().zip(cpu) {
                *sum += count;
            }
        }
        Ok(counts)
    }
}

/// Counters by reason, packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts(pub maps::Counters);

impl Counts {
    /// The counter of one reason.
    pub fn get(&self, reason: Reason) -> u64 {
        self.0[reason.index()]
    }

    /// The sum over the reasons of one class.
    pub fn of_class(&self, class: Class) -> u64 {
        Reason::ALL
            .into_iter()
            .filter(|reason| reason.class() == class)
            .map(|reason| self.get(reason))
            .sum()
    }

    /// Packets seen less packets under a terminal reason: 0 when the program is at rest.
    pub fn imbalance(&self) -> i64 {
        let terminal = Reason::ALL.into_iter().filter(|reason| reason.class().is_terminal());
        let ended: u64 = terminal.map(|reason| self.get(reason)).sum();
        self.get(Reason::Seen).wrapping_sub(ended) as i64
    }

    /// What was counted since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let mut difference = *self;
        for (count, before) in difference.0.iter_mut().zip(earlier.0) {
            *count = count.wrapping_sub(before);
        }
        difference
    }
}

/// The flow table.
pub struct FlowsMap(HashMap<MapData, FlowKey, FlowState>);

/// How the flows in the table are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Flows by [`Strategy::index`].
    pub by_strategy: [u64; Strategy::COUNT],
    /// Flows known to be HTTP.
    pub http: u64,
    /// Flows known not to be HTTP.
    pub not_http: u64,
}

impl FlowsMap {
    /// A flow's entry.
    pub fn get(&self, key: &FlowKey) -> Result<Option<FlowState>, KernelError> {
        match self.0.get(key, 0) {
            Ok(state) => Ok(Some(state)),
            Err(MapError::KeyNotFound) => Ok(None),
            Err(error) => Err(KernelError::map(maps::FLOWS, "read")(error)),
        }
    }

    /// Counts the flows in the table. Walks all of it: two system calls per flow. The table changes meanwhile, so the
    /// result is an estimate; a flow that vanishes under the walk is left out.
    pub fn census(&self) -> Census {
        let mut census = Census::default();
        for (_, state) in self.0.iter().flatten() {
            if let Some(count) = census.by_strategy.get_mut(usize::from(state.strategy)) {
                *count += 1;
            }
            census.http += u64::from(state.http == http::YES);
            census.not_http += u64::from(state.http == http::NO);
        }
        census
    }

    /// Forgets all flows.
    pub fn clear(&mut self) {
        let keys: Vec<FlowKey> = self.0.keys().flatten().collect();
        for key in keys {
            // An entry that the kernel evicted meanwhile is gone as well.
            let _ = self.0.remove(&key);
        }
    }
}

/// Sequence ranges that are known to be body, by direction. Any number of threads may publish at once: each owns a clone.
#[derive(Clone, Debug)]
pub struct CutsMap(Arc<Cuts>);

#[derive(Debug)]
struct Cuts {
    ranges: OwnedFd,
    until: OwnedFd,
    /// What stands in `until`.
    published_until: AtomicU64,
}

impl CutsMap {
    fn take(ebpf: &mut Ebpf) -> Result<Self, KernelError> {
        let (Some(Map::LruHashMap(ranges)), Some(Map::Array(until))) =
            (ebpf.take_map(maps::CUTS), ebpf.take_map(maps::CUTS_UNTIL))
        else {
            let reason = format!(
                "it has no LRU hash map {} with an array {}",
                maps::CUTS,
                maps::CUTS_UNTIL
            );
            return Err(KernelError::BadObject { reason });
        };
        Ok(Self(Arc::new(Cuts {
            ranges: duplicate(&ranges, maps::CUTS)?,
            until: duplicate(&until, maps::CUTS_UNTIL)?,
            published_until: AtomicU64::new(0),
        })))
    }

    /// Publishes a range in place of what was there of its direction. One system call, and now and then another. When the
    /// table is full, the range that was used least lately goes.
    ///
    /// # Errors
    /// When the kernel refuses, such as for want of memory. Nothing is lost by it: the segments come whole.
    pub fn publish(&self, key: &CutKey, range: &CutRange) -> io::Result<()> {
        self.0.announce(range.until())?;
        // SAFETY: `CUTS` is declared with these types in `trim-ebpf/src/maps.rs`.
        unsafe { bpf::update(self.0.ranges.as_fd(), key, range) }
    }
}

impl Cuts {
    /// Lets the program look for ranges up to this time at least. Written as far ahead as a range holds, so that it is not
    /// written for each of them; threads that do so at once write
    /// nearly the same.
    fn announce(&self, until: u64) -> io::Result<()> {
        if until <= self.published_until.load(Ordering::Relaxed) {
            return Ok(());
        }
        let ahead = until.saturating_add(LIFETIME_NS);
        // SAFETY: `CUTS_UNTIL` is declared with these types in `trim-ebpf/src/maps.rs`.
        unsafe { bpf::update(self.until.as_fd(), &0_u32, &ahead) }?;
        self.published_until.store(ahead, Ordering::Relaxed);
        Ok(())
    }
}

/// The map's descriptor, for system calls that need no more than that.
fn duplicate(map: &MapData, name: &'static str) -> Result<OwnedFd, KernelError> {
    map.fd().as_fd().try_clone_to_owned().map_err(|source| {
        KernelError::map(name, "open")(MapError::from(aya::sys::SyscallError {
            call: "fcntl",
            io_error: source,
        }))
    })
}

/// The AF_XDP sockets by queue and strategy.
pub struct SocketsMap(XskMap<MapData>);

impl SocketsMap {
    /// Lets the program steer to `socket`, which must be bound to `queue`. The kernel takes the socket out again by
    /// itself when it is closed.
    pub fn set(&mut self, queue: u32, strategy: Strategy, socket: &impl AsRawFd) -> Result<(), KernelError> {
        self.0
            .set(socket_index(queue, strategy), socket.as_raw_fd(), 0)
            .map_err(KernelError::map(maps::SOCKETS, "put a socket into"))
    }

    /// Ends steering to the socket there.
    pub fn unset(&mut self, queue: u32, strategy: Strategy) -> Result<(), KernelError> {
        self.0
            .unset(socket_index(queue, strategy))
            .map_err(KernelError::map(maps::SOCKETS, "take a socket out of"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_is_seen_less_all_terminal_reasons() {
        let mut counts = Counts::default();
        counts.0[Reason::Seen.index()] = 10;
        counts.0[Reason::RedirectedLegacy.index()] = 4;
        counts.0[Reason::OmittedNotTcp.index()] = 5;
        counts.0[Reason::Tcp.index()] = 4;
        assert_eq!(counts.imbalance(), 1);
        assert_eq!(counts.of_class(Class::Policy), 5);
        let later = Counts(counts.0.map(|count| count * 2));
        assert_eq!(later.since(&counts), counts);
    }
}
