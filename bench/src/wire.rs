//! The cable: a veth pair in a namespace of its own, new for every measurement, so that all counters begin at 0.

use anyhow::{Context, Result};
use trim_user::kernel::netns;
use trim_user::kernel::nic::{Link, index_of};
use xtask::lab::{Namespace, VethOptions, VethPair};

/// The receiver's end.
pub(crate) const NEAR: &str = "near";
/// The generator's end.
const FAR: &str = "far";

/// The cable as the work inside its namespace sees it.
#[derive(Debug)]
pub(crate) struct Wire<'a> {
    pub(crate) namespace: &'a Namespace,
    /// Index of the receiver's end.
    pub(crate) near: u32,
    /// Index of the generator's end.
    pub(crate) far: u32,
}

impl Wire<'_> {
    /// Runs `work` on a thread inside a namespace with a fresh cable, and takes both away.
    pub(crate) fn with<T: Send>(work: impl FnOnce(&Wire<'_>) -> Result<T> + Send) -> Result<T> {
        let namespace = Namespace::new("bench")?;
        VethPair::silent((&namespace, NEAR), (&namespace, FAR), VethOptions::default())?;
        netns::run_in(&namespace.path(), || {
            let index = |name| index_of(name).with_context(|| format!("cannot find the interface {name}"));
            work(&Wire {
                near: index(NEAR)?,
                far: index(FAR)?,
                namespace: &namespace,
            })
        })?
    }

    /// Frames that the generator's end could not hand over, because the ring between the ends was full. No XDP program
    /// has seen them.
    pub(crate) fn dropped_by_sender(&self) -> Result<u64> {
        let link = Link::query(self.far).context("cannot read the counters of the sending interface")?;
        Ok(link.counters.tx_dropped)
    }
}
