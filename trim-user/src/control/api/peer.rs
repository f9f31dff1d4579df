//! Who is at the other end of the socket: the kernel says so (SO_PEERCRED, unix(7)).

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

/// The process that connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its user, when the kernel tells.
    pub user: Option<u32>,
    /// Its number, when the kernel tells.
    pub process: Option<i32>,
}

impl Peer {
    /// As it stands in the event log.
    pub fn name(self) -> String {
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
        Self {
            user: credentials.map(|it| it.uid()),
            process: credentials.and_then(|it| it.pid()),
        }
    }
}
