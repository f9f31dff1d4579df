//! News about the link of one interface, without asking for it again and again.

use std::os::fd::{AsFd, BorrowedFd};

use super::error::NicError;
use super::link::Link;
use super::netlink::Netlink;

/// Whether an interface can receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Up and with a carrier.
    Up,
    /// Switched off.
    Down,
    /// Switched on, but without a carrier.
    NoCarrier,
    /// The interface does not exist any more. An interface of the same name that comes later is another one.
    Gone,
}

impl LinkState {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::NoCarrier => "no carrier",
            Self::Gone => "gone",
        }
    }

    /// The state that a link's flags say.
    pub const fn of(link: &Link) -> Self {
        match (link.up, link.running) {
            (false, _) => Self::Down,
            (true, false) => Self::NoCarrier,
            (true, true) => Self::Up,
        }
    }
}

/// Watches one interface through the rtnetlink group `RTMGRP_LINK`.
#[derive(Debug)]
pub struct LinkMonitor {
    netlink: Netlink,
    interface: u32,
    state: LinkState,
}

impl LinkMonitor {
    /// Starts to watch the interface with index `interface`.
    ///
    /// # Errors
    /// No netlink socket, or the interface cannot be asked for.
    pub fn open(interface: u32) -> Result<Self, NicError> {
        // Subscribed first and asked then, so that no change falls in between.
        let netlink = Netlink::open(libc::NETLINK_ROUTE, libc::RTMGRP_LINK as u32)
            .map_err(NicError::request("watch the interfaces"))?;
        let state = ask(interface)?;
        Ok(Self {
            netlink,
            interface,
            state,
        })
    }

    /// The state as of the last call of [`changed`](Self::changed).
    pub const fn state(&self) -> LinkState {
        self.state
    }

    /// Reads all waiting news and returns the state if it is another one now. Never blocks. Changes that cancel each
    /// other out between two calls are not seen.
    ///
    /// # Errors
    /// The netlink socket is broken, or the interface cannot be asked for.
    pub fn changed(&mut self) -> Result<Option<LinkState>, NicError> {
        let before = self.state;
        let (interface, state) = (self.interface, &mut self.state);
        loop {
            let outcome = self.netlink.poll(|message| {
                if let Some((link, exists)) = Link::parse(message).filter(|(link, _)| link.index == interface) {
                    *state = if exists { LinkState::of(&link) } else { LinkState::Gone };
                }
            });
            match outcome {
                Ok(true) => {}
                Ok(false) => break,
                // So much news that some was lost (`netlink_overrun`): the answer to a question is never old.
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => *state = ask(interface)?,
                Err(source) => {
                    return Err(NicError::Request {
                        action: "read news about the interfaces",
                        source,
                    });
                }
            }
        }
        Ok((self.state != before).then_some(self.state))
    }
}

impl AsFd for LinkMonitor {
    /// Readable when there is news about any interface.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.netlink.as_fd()
    }
}

fn ask(interface: u32) -> Result<LinkState, NicError> {
    match Link::query(interface) {
        Ok(link) => Ok(LinkState::of(&link)),
        Err(NicError::Gone(_)) => Ok(LinkState::Gone),
        Err(error) => Err(error),
    }
}
