//! Loads the XDP program, attaches it, and takes it off again.

use std::path::{Path, PathBuf};

use aya::programs::links::{FdLink, PinnedLink};
use aya::programs::xdp::{XdpLink, XdpLinkId};
use aya::programs::{ProgramError, Xdp, XdpMode};
use aya::{Ebpf, EbpfLoader};
use trim_common::maps::{self, FLOWS_DEFAULT};

use super::error::KernelError;
use super::events::Events;
use super::maps::Maps;
use super::pins::PinDirectory;

/// The eBPF object; empty in a binary built without one.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/trim-ebpf.o"));

/// Whether this binary can capture live: whether it was built with the eBPF object.
pub fn is_embedded() -> bool {
    !OBJECT.is_empty()
}

/// How the program is to be attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver when it can, else in the network stack.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the network stack: works with every driver, and costs a copy per packet.
    Generic,
}

/// Where an attached program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachedMode {
    /// In the driver.
    Native,
    /// In the network stack.
    Generic,
}

impl AttachedMode {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Generic => "generic",
        }
    }

    const fn flag(self) -> XdpMode {
        match self {
            Self::Native => XdpMode::Driver,
            Self::Generic => XdpMode::Skb,
        }
    }
}

impl AttachMode {
    /// The modes to try, in order.
    const fn candidates(self) -> &'static [AttachedMode] {
        match self {
            Self::Auto => &[AttachedMode::Native, AttachedMode::Generic],
            Self::Native => &[AttachedMode::Native],
            Self::Generic => &[AttachedMode::Generic],
        }
    }
}

/// Sizes and places that must be known when the program is loaded.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Entries of the flow table, at least 1; 100 bytes each or so.
    pub flow_entries: u32,
    /// A directory on a BPF file system in which maps and link are pinned
    /// ([`directory_of`](super::pins::directory_of)); `None`: the program ends with this process.
    pub pin_directory: Option<PathBuf>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            flow_entries: FLOWS_DEFAULT,
            pin_directory: None,
        }
    }
}

/// The maps that are pinned: what `trim rollback`, a successor or an operator needs of a hung or dead process.
const PINNED_MAPS: [&str; 4] = [maps::POLICY, maps::SETUP, maps::LEASE, maps::COUNTERS];

/// A loaded program. Dropping it takes it off its interface and removes its pins; only a process that is killed leaves
/// them in force.
pub struct Program {
    interface: String,
    /// Before `pins`: the link must be gone when the directory is removed.
    link: Option<Link>,
    pins: Option<PinDirectory>,
    ebpf: Ebpf,
}

/// What holds the program on its interface. Dropping it takes the program off.
enum Link {
    /// Gone with the process.
    Owned { _link: XdpLink },
    /// Stays as long as the file.
    Pinned { _link: FdLink, path: PathBuf },
}

impl Program {
    /// Loads the program for an interface and opens its maps. Nothing is attached yet: fill the maps first.
    ///
    /// # Errors
    ///
    /// [`KernelError`] says what is missing: the object, a capability, a newer kernel, or the pin directory; or that
    /// another `trim` captures on the interface.
    pub fn load(interface: &str, options: &LoadOptions) -> Result<(Self, Maps, Events), KernelError> {
        let mut ebpf = load_object(Some(options.flow_entries))?;
        verify(&mut ebpf, maps::PROGRAM)?;
        let pins = match &options.pin_directory {
            Some(path) => Some(pin_maps(&ebpf, path, interface)?),
            None => None,
        };
        let maps = Maps::take(&mut ebpf)?;
        let events = Events::take(&mut ebpf)?;
        let program = Self {
            interface: interface.to_owned(),
            link: None,
            pins,
            ebpf,
        };
        Ok((program, maps, events))
    }

    /// Puts the program on its interface, in place of one that a dead `trim` left there.
    ///
    /// # Errors
    ///
    /// [`KernelError`] names the interface and says whether it is gone, refuses the mode, or has another program.
    pub fn attach(&mut self, mode: AttachMode) -> Result<AttachedMode, KernelError> {
        if let Some(attached) = self.take_over(mode)? {
            return Ok(attached);
        }
        let mut refused = None;
        for candidate in mode.candidates() {
            match self.attach_as(*candidate) {
                Ok(()) => return Ok(*candidate),
                Err(error @ KernelError::NativeRefused { .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or(KernelError::NoObject))
    }

    /// Takes the program off its interface. Its maps stay readable.
    pub fn detach(&mut self) {
        self.link = None;
    }

    /// Whether the program stays in force when this process is killed.
    pub fn is_pinned(&self) -> bool {
        matches!(self.link, Some(Link::Pinned { .. }))
    }

    /// The pin directory, when there is one.
    pub fn pin_directory(&self) -> Option<&Path> {
        self.pins.as_ref().map(PinDirectory::path)
    }

    pub(super) fn xdp(&mut self) -> Result<&mut Xdp, KernelError> {
        xdp(&mut self.ebpf, maps::PROGRAM)
    }

    fn attach_as(&mut self, mode: AttachedMode) -> Result<(), KernelError> {
        let interface = self.interface.clone();
        let refused = |error| KernelError::from_attach(&interface, mode == AttachedMode::Native, error);
        let id = self.xdp()?.attach(&interface, mode.flag()).map_err(&refused)?;
        self.keep(id, mode)
    }

    /// Takes the link out of aya's hands and pins it when there is a pin directory.
    fn keep(&mut self, id: XdpLinkId, mode: AttachedMode) -> Result<(), KernelError> {
        let link = self.xdp()?.take_link(id).map_err(bad_object)?;
        self.link = Some(match &self.pins {
            None => Link::Owned { _link: link },
            Some(pins) => {
                let path = pins.link(mode.name());
                let link = FdLink::try_from(link)
                    .map_err(|error| KernelError::pin("pin to", path.clone())(std::io::Error::other(error)))?;
                let pinned = link
                    .pin(&path)
                    .map_err(|error| KernelError::from_pin(path.clone(), error))?;
                Link::Pinned {
                    _link: FdLink::from(pinned),
                    path,
                }
            }
        });
        Ok(())
    }

    /// Replaces the program of a link that a dead `trim` left pinned, without a gap, when its mode will do; else removes
    /// the link. `None` when the program is still to be attached.
    fn take_over(&mut self, mode: AttachMode) -> Result<Option<AttachedMode>, KernelError> {
        for left in [AttachedMode::Native, AttachedMode::Generic] {
            let Some(path) = self.pins.as_ref().map(|pins| pins.link(left.name())) else {
                return Ok(None);
            };
            let Ok(pinned) = PinnedLink::from_pin(&path) else {
                continue;
            };
            let link = pinned.unpin().map_err(KernelError::pin("remove", path))?;
            if !mode.candidates().contains(&left) {
                continue;
            }
            // A link of an interface that is gone (and perhaps there again) cannot be updated: attach afresh.
            if let Ok(link) = XdpLink::try_from(link)
                && let Ok(id) = self.xdp()?.attach_to_link(link)
            {
                self.keep(id, left)?;
                return Ok(Some(left));
            }
        }
        Ok(None)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Self::Pinned { path, .. } = self {
            // Fails only when somebody removed the file, which is what is wanted.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Parses the object and makes its maps, with a flow table of this size or the smallest one.
pub(super) fn load_object(flow_entries: Option<u32>) -> Result<Ebpf, KernelError> {
    load_from(OBJECT, &[(maps::FLOWS, flow_entries.unwrap_or(1))])
}

/// The same with a script of so many steps and connections for the source, and the smallest flow table.
pub(super) fn load_source(steps: u32, flows: u32) -> Result<Ebpf, KernelError> {
    let sizes = [
        (maps::FLOWS, 1),
        (maps::SOURCE_STEPS, steps),
        (maps::SOURCE_FLOWS, flows),
    ];
    load_from(OBJECT, &sizes)
}

/// With so many entries in these maps.
fn load_from(object: &[u8], sizes: &[(&'static str, u32)]) -> Result<Ebpf, KernelError> {
    if object.is_empty() {
        return Err(KernelError::NoObject);
    }
    let mut loader = EbpfLoader::new();
    for &(map, entries) in sizes {
        loader.map_max_entries(map, entries);
    }
    loader.load(object).map_err(KernelError::from_load)
}

pub(super) fn verify(ebpf: &mut Ebpf, name: &'static str) -> Result<(), KernelError> {
    xdp(ebpf, name)?.load().map_err(KernelError::from_verification)
}

pub(super) fn xdp<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, KernelError> {
    let program = ebpf.program_mut(name).ok_or_else(|| KernelError::BadObject {
        reason: format!("it has no program {name}"),
    })?;
    program.try_into().map_err(bad_object)
}

fn bad_object(error: ProgramError) -> KernelError {
    KernelError::BadObject {
        reason: error.to_string(),
    }
}

fn pin_maps(ebpf: &Ebpf, path: &Path, interface: &str) -> Result<PinDirectory, KernelError> {
    let pins = PinDirectory::claim(path, interface)?;
    for name in PINNED_MAPS {
        let map = ebpf.map(name).ok_or_else(|| KernelError::BadObject {
            reason: format!("it has no map {name}"),
        })?;
        let file = pins.path().join(name);
        map.pin(&file).map_err(|error| KernelError::from_pin(file, error))?;
    }
    Ok(pins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_without_the_object_says_how_to_get_one_with_it() {
        let error = load_from(&[], &[]).expect_err("there is nothing to load");
        assert!(
            error.to_string().contains("build it with `cargo xtask build`"),
            "{error}"
        );
    }

    #[test]
    fn an_object_that_is_none_is_refused_on_one_line() {
        let error = load_from(b"\x7fELF and nothing more", &[]).expect_err("not an object");
        assert!(matches!(error, KernelError::BadObject { .. }), "{error:?}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
}
