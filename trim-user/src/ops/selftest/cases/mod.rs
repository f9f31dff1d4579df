//! The cases of the self-test: connections made by hand, one for each thing that HTTP and TCP do.

mod framing;
mod messages;
mod options;
mod tcp;

use super::script::Script;
use crate::trimmer::{Policy, Settings};

/// A connection and what trimming it must give.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) script: Script,
    pub(super) settings: Settings,
    pub(super) policy: Policy,
    /// A strategy that does not reassemble may keep bodies here.
    pub(super) needs_reassembly: bool,
}

impl Case {
    fn new(name: &'static str, about: &'static str, script: Script) -> Self {
        Self {
            name,
            about,
            script: script.send(),
            settings: Settings::default(),
            policy: Policy::default(),
            needs_reassembly: false,
        }
    }

    fn needs_reassembly(self) -> Self {
        Self {
            needs_reassembly: true,
            ..self
        }
    }

    fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }
}

/// All of them.
pub(super) fn all() -> Vec<Case> {
    let groups = [messages::cases(), framing::cases(), tcp::cases(), options::cases()];
    groups.into_iter().flatten().collect()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const FIVE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";

/// A request and an answer with a body of five bytes.
fn exchange() -> Script {
    Script::open().ask(GET).answer(FIVE).answer_body("hello")
}
