//! The traffic of each scenario: real TCP segments with correct checksums, which the kernel makes.

mod api;
mod bulk;
mod conversation;
pub(crate) mod frame;
mod hostile;
mod play;
mod tiny;
#[cfg(test)]
pub(crate) mod trimmed;
mod truth;
mod web;

use std::time::Duration;

use anyhow::{Result, ensure};
use serde::Serialize;
use trim_user::kernel::source::{Script, Source};

pub(crate) use api::api;
pub(crate) use bulk::bulk;
pub(crate) use frame::HEADERS;
pub(crate) use hostile::hostile;
pub(crate) use play::Play;
pub(crate) use tiny::tiny;
pub(crate) use truth::{Packet, Truth};
pub(crate) use web::web;

/// What is said, by how many, and how much of it is to be kept.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    pub(crate) script: Script,
    pub(crate) truth: Truth,
    /// Frames of each connection that are sent before time is taken: they open it.
    pub(crate) opening: u32,
}

/// How much is sent in a round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Shape {
    /// Connections that take turns.
    pub(crate) flows: u32,
    /// Mean length of a frame, bytes from the Ethernet header on.
    pub(crate) frame_bytes: f64,
    /// Frames while time is taken.
    pub(crate) frames: u64,
    /// Bytes of message bodies in them.
    pub(crate) body_bytes: u64,
}

/// What was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// Frames given to the sending interface.
    pub(crate) frames: u64,
    /// Of those, frames before time was taken: they open flows.
    pub(crate) openings: u64,
    /// Bytes of message bodies in all frames.
    pub(crate) body_bytes: u64,
    /// How long the frames after the openings took.
    pub(crate) duration: Duration,
}

impl Traffic {
    /// Frames before time is taken.
    fn openings(&self) -> u32 {
        self.script.flows.len() as u32 * self.opening
    }

    /// What `frames` frames after the openings are.
    pub(crate) fn shape(&self, frames: u32) -> Shape {
        let mut play = Play::new(&self.script);
        let (mut bytes, mut body_bytes) = (0, 0);
        for _ in 0..self.openings() {
            play.next_frame();
        }
        for _ in 0..frames {
            let made = play.next_frame();
            bytes += u64::from(made.length);
            body_bytes += self.truth.body_bytes(made.step);
        }
        Shape {
            flows: self.script.flows.len() as u32,
            frame_bytes: bytes as f64 / f64::from(frames),
            frames: frames.into(),
            body_bytes,
        }
    }

    /// Sends the openings and then so many frames out of the interface with this index (of the calling thread's namespace),
    /// as fast as possible or one each `interval_ns` nanoseconds.
    ///
    /// # Errors
    /// When the kernel refuses, or has made another number of frames than it was asked for.
    pub(crate) fn send(&self, interface: u32, shape: &Shape, interval_ns: Option<u64>) -> Result<Sent> {
        let mut source = Source::load(interface, &self.script)?;
        source.send(self.openings(), None)?;
        let openings = source.made()?;
        let duration = source.send(shape.frames as u32, interval_ns)?;
        let made = source.made()?;
        ensure!(
            openings == u64::from(self.openings()) && made - openings == shape.frames,
            "the kernel made {made} frames of {} asked for",
            u64::from(self.openings()) + shape.frames
        );
        Ok(Sent {
            frames: made,
            openings,
            body_bytes: shape.body_bytes,
            duration,
        })
    }
}
