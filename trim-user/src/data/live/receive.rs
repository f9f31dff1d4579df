//! A receiving thread: RX rings to workers.

use std::sync::Arc;
use std::time::Duration;

use super::arrival::Arrival;
use super::batch::ToWorker;
use super::intake::Intake;
use super::outcome::{Ended, LiveError};
use crate::shared::{Lane, Shared, ThreadBoard};

/// Longest sleep while packets are with the workers: their frames have to go back to the kernel soon.
const SHORT_NAP: Duration = Duration::from_millis(1);

/// One thread that receives and dispatches.
pub(super) struct ReceiveLoop {
    pub(super) intake: Intake,
    /// The ways to the workers of `legacy`, then of `scanning`.
    pub(super) workers: [Vec<ToWorker>; 2],
    pub(super) shared: Arc<Shared>,
    pub(super) board: usize,
}

impl ReceiveLoop {
    /// Runs until a stop is requested and everything received is dispatched and given back.
    pub(super) fn run(mut self) -> Result<Ended, LiveError> {
        let shared = Arc::clone(&self.shared);
        let board = &shared.threads[self.board];
        let broken = loop {
            let now = Intake::now();
            let received = self.intake.receive(now, &shared, board);
            self.dispatch(board);
            self.reclaim();
            self.intake.refill();
            let horizon = self.intake.horizon(now);
            self.workers.iter().flatten().for_each(|worker| worker.promise(horizon));
            board.out_of_order.set(self.intake.late());
            board.latency.answer_nothing();
            board.beat.add(1);
            if received == 0 {
                if shared.is_stopping() && !self.intake.has_packets() {
                    break None;
                }
                if let Err(error) = self.idle(&shared, board) {
                    break Some(error);
                }
            }
        };
        Ok(self.finish(board, broken))
    }

    /// Gives every packet that is in order to the worker of its flow.
    fn dispatch(&mut self, board: &ThreadBoard) {
        while let Some(run) = self.intake.next_run() {
            while let Some(arrival) = self.intake.next_of(run) {
                self.dispatch_one(arrival, board);
            }
        }
        for worker in self.workers.iter_mut().flatten() {
            worker.send_to_idle();
        }
    }

    #[inline]
    fn dispatch_one(&mut self, arrival: Arrival, board: &ThreadBoard) {
        let workers = &mut self.workers[strategy_of(arrival.lane)];
        let index = arrival.flow_hash as usize % workers.len();
        if let Err(refused) = workers[index].push(arrival) {
            board.queue_full.add(1);
            self.intake.recycle(refused.queue, refused.frame);
        }
    }

    fn reclaim(&mut self) {
        let Self { workers, intake, .. } = self;
        for worker in workers.iter_mut().flatten() {
            worker.reclaim(|arrival| intake.recycle(arrival.queue, arrival.frame));
        }
    }

    fn idle(&mut self, shared: &Shared, board: &ThreadBoard) -> Result<(), LiveError> {
        if shared.is_stopping() {
            self.intake.close();
            return Ok(());
        }
        self.intake.notice_closed(board);
        self.intake.wait(SHORT_NAP)?;
        Ok(())
    }

    fn finish(self, board: &ThreadBoard, broken: Option<LiveError>) -> Ended {
        let Self {
            mut intake, workers, ..
        } = self;
        let mut leftovers = Vec::new();
        for mut worker in workers.into_iter().flatten() {
            while !worker.send() {
                worker.reclaim(|arrival| intake.recycle(arrival.queue, arrival.frame));
                std::thread::yield_now();
            }
            worker.close(
                |arrival| intake.recycle(arrival.queue, arrival.frame),
                |unsent| leftovers.push(unsent),
            );
        }
        board.queue_full.add(leftovers.len() as u64);
        for arrival in leftovers {
            intake.recycle(arrival.queue, arrival.frame);
        }
        let mut errors = intake.take_errors();
        errors.extend(broken);
        Ended {
            audits: intake.audits(),
            errors,
            ..Ended::default()
        }
    }
}

const fn strategy_of(lane: Lane) -> usize {
    match lane {
        Lane::Legacy | Lane::Comparison => 0,
        Lane::Scanning | Lane::Auto => 1,
    }
}
