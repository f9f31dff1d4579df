//! The script as the kernel plays it, to know what was sent.

use trim_common::source::{Flow, Step};
use trim_user::kernel::source::Script;

/// A script at some point.
#[derive(Clone, Debug)]
pub(crate) struct Play<'a> {
    script: &'a Script,
    steps: Vec<Step>,
    flows: Vec<Flow>,
    turn: usize,
}

/// A frame that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Made {
    /// Its step.
    pub(crate) step: usize,
    /// Its length, bytes.
    pub(crate) length: u16,
}

impl<'a> Play<'a> {
    /// At the beginning.
    pub(crate) fn new(script: &'a Script) -> Self {
        Self {
            script,
            steps: script.steps.clone(),
            flows: script.flows.clone(),
            turn: 0,
        }
    }

    /// The next frame.
    pub(crate) fn next_frame(&mut self) -> Made {
        let flow = &mut self.flows[self.turn];
        let number = usize::from(flow.step);
        let step = &mut self.steps[number];
        let fields = flow.send(step);
        step.fill(&fields);
        self.turn = (self.turn + 1) % self.script.flows.len();
        Made {
            step: number,
            length: step.length,
        }
    }

    /// All bytes of the next frame.
    #[cfg(test)]
    pub(crate) fn next_bytes(&mut self) -> Vec<u8> {
        let made = self.next_frame();
        let step = &self.steps[made.step];
        let (length, written) = (usize::from(step.length), usize::from(step.written));
        let mut frame = self.script.filling[..length].to_vec();
        frame[..written].copy_from_slice(&step.frame[..written]);
        frame
    }
}
