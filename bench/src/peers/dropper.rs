//! What the driver can carry at most: each packet is counted and dropped, and no socket ever sees it.

use anyhow::Result;
use trim_user::kernel::bare::{BareDrop, Hook};

use super::{Received, Receiving};
use crate::traffic::Sent;
use crate::usage::Usage;
use crate::wire::Wire;

pub(super) const SETTING: &str = "an XDP program that counts each packet and drops it in the driver";

/// The program, attached. What it drops counts as kept: nothing that receives can do more.
pub(super) struct Dropper(BareDrop);

impl Dropper {
    pub(super) fn start(wire: &Wire<'_>) -> Result<Self> {
        Ok(Self(BareDrop::attach(wire.near, Hook::Native)?))
    }
}

impl Receiving for Dropper {
    fn usage(&self) -> Option<Usage> {
        None
    }

    fn stop(self: Box<Self>, _sent: &Sent) -> Result<Received> {
        let seen = self.0.dropped()?;
        Ok(Received {
            seen,
            kept: seen,
            ..Received::default()
        })
    }
}
