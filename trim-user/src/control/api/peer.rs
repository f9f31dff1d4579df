//! Who is at the other end of the socket: the kernel says so (SO_PEERCRED, unix(7)).

use std::os::fd::AsFd as _;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use crate::kernel::peer::supplementary_groups;

/// The process that connected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its user, when the kernel tells.
    pub user: Option<u32>,
    /// Its number, when the kernel tells.
    pub process: Option<i32>,
    /// Its groups, as far as the kernel tells.
    pub groups: Vec<u32>,
}

impl Peer {
    /// As it stands in the event log.
    pub fn name(&self) -> String {
        match (self.user, self.process) {
            (Some(user), Some(process)) => format!("uid {user}, pid {process}"),
            (Some(user), None) => format!("uid {user}"),
            _ => "somebody unknown".to_owned(),
        }
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let credentials = stream.io().peer_cred().ok();
        let mut groups = supplementary_groups(stream.io().as_fd()).unwrap_or_default();
        groups.extend(credentials.map(|it| it.gid()));
        Self {
            user: credentials.map(|it| it.uid()),
            process: credentials.and_then(|it| it.pid()),
            groups,
        }
    }
}
