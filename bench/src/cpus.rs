//! Which CPU does what.

use anyhow::{Result, bail};
use serde::Serialize;
use trim_user::kernel::affinity::{allowed_cpus, pin_current_thread};

/// The CPUs of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cpus {
    /// Makes the frames, and takes the soft interrupts that carry them to the receiver's interface.
    pub(crate) generator: usize,
    /// Receives and writes: the peer under test.
    pub(crate) receiver: usize,
}

impl Cpus {
    /// The first CPU for the generator and the last one for the receiver.
    pub(crate) fn choose() -> Result<Self> {
        match allowed_cpus().as_slice() {
            [generator, .., receiver] => Ok(Self {
                generator: *generator,
                receiver: *receiver,
            }),
            cpus => bail!(
                "a benchmark needs two CPUs, one for the generator and one for the receiver, and may use {}",
                cpus.len()
            ),
        }
    }
}

/// Pins the calling thread, or says which CPU refuses it: an unpinned run is another measurement.
pub(crate) fn pin(cpu: usize) -> Result<()> {
    if pin_current_thread(cpu) {
        Ok(())
    } else {
        bail!("the system refuses to pin a thread to CPU {cpu}")
    }
}
