//! What AF_XDP itself can do: packets are taken out of the ring and their frames given back, nothing else.

use std::hint::spin_loop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use trim_common::strategy::Strategy;
use trim_user::kernel::bare::{BareRedirect, Hook};
use trim_user::kernel::nic::Link;
use trim_user::kernel::xsk::{Options, Queue};

use super::{Place, Received, Receiving};
use crate::cpus::pin;
use crate::traffic::Sent;
use crate::usage::Usage;
use crate::wire::Wire;

pub(super) const SETTING: &str = "the least XDP program, copy mode, 16384 frames, RX ring of 8192, spinning";

/// As in `trim`'s default configuration.
const OPTIONS: Options = Options {
    frame_size: 2048,
    frame_count: 16384,
    headroom: 0,
    fill_ring: 8192,
    rx_ring: 8192,
    huge_pages: trim_user::kernel::xsk::HugePages::Auto,
    bind: trim_user::kernel::xsk::BindMode::Auto,
    busy_poll: None,
};
/// Packets taken at once.
const BATCH: usize = 64;

/// The loop, running.
pub(super) struct Bare {
    program: BareRedirect,
    ended: Arc<AtomicBool>,
    thread: JoinHandle<Result<(Queue, u64)>>,
}

impl Bare {
    pub(super) fn start(wire: &Wire<'_>, place: Place<'_>) -> Result<Self> {
        let mtu = Link::query(wire.near)?.mtu;
        let program = BareRedirect::attach(wire.near, 1, Hook::Native, false)?;
        let queue = Queue::open(wire.near, 0, OPTIONS.check(mtu)?)?;
        for strategy in Strategy::ALL {
            program.set_socket(0, strategy, queue.socket(strategy))?;
        }
        let ended = Arc::new(AtomicBool::new(false));
        let (flag, cpu) = (Arc::clone(&ended), place.cpus.receiver);
        let thread = std::thread::Builder::new()
            .name("bare".to_owned())
            .spawn(move || {
                pin(cpu)?;
                Ok(receive(queue, &flag))
            })
            .context("cannot start a thread")?;
        Ok(Self { program, ended, thread })
    }
}

/// Takes packets until `ended` is set and none is left; returns how many.
fn receive(mut queue: Queue, ended: &AtomicBool) -> (Queue, u64) {
    let mut frames = Vec::with_capacity(BATCH);
    let mut taken = 0;
    loop {
        let is_last = ended.load(Ordering::Acquire);
        let mut received = 0;
        for strategy in Strategy::ALL {
            received += queue.receive(strategy, BATCH, &mut frames);
            queue.recycle(frames.drain(..));
        }
        queue.refill();
        taken += received as u64;
        if received == 0 {
            if is_last {
                return (queue, taken);
            }
            spin_loop();
        }
    }
}

impl Receiving for Bare {
    fn usage(&self) -> Option<Usage> {
        None
    }

    fn stop(self: Box<Self>, _sent: &Sent) -> Result<Received> {
        self.ended.store(true, Ordering::Release);
        let (queue, kept) = self
            .thread
            .join()
            .map_err(|_| anyhow!("the bare receive loop panicked"))??;
        let loss = queue.statistics()?.loss();
        Ok(Received {
            seen: self.program.seen()?,
            kept,
            lost: [
                ("rx_ring_full", loss.rx_ring_full),
                ("fill_ring_empty", loss.fill_ring_empty),
                ("rx_dropped", loss.other_dropped),
            ]
            .map(|(place, packets)| (place.to_owned(), packets))
            .into(),
            ..Received::default()
        })
    }
}
