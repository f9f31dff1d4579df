//! What waits to be written. Bounded: when it is full, the least valuable goes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;

use super::configurations::ConfigurationVersion;
use super::decisions::Entry;
use super::events::Event;
use crate::control::health::{Evidence, Health};

/// Something to be written.
pub(super) enum Job {
    Sample(Box<(Evidence, Health)>),
    Decision(Arc<Entry>, Arc<Receipt>),
    /// The actions of a decision are done.
    Acted(Arc<Receipt>),
    Event(Box<Event>),
    /// A configuration became active; whoever made it so is given its number.
    Configured(Box<ConfigurationVersion>, Sender<u64>),
}

/// What becomes of a decision on its way to the disk.
#[derive(Debug, Default)]
pub(super) struct Receipt(Mutex<Fate>);

/// See [`Receipt`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fate {
    /// The file it was written to, counted from the start of the process, and its number there.
    pub(super) place: Option<(u32, u64)>,
    /// Whether that its actions are done was written, too.
    pub(super) is_done: bool,
}

impl Receipt {
    pub(super) fn at(file: u32, sequence: u64) -> Self {
        Self(Mutex::new(Fate {
            place: Some((file, sequence)),
            is_done: false,
        }))
    }

    pub(super) fn fate(&self) -> Fate {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn update(&self, change: impl FnOnce(&mut Fate)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What is given up first when there is no room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// There is another one in five seconds.
    Sample,
    /// A decision that changed nothing.
    Routine,
    /// All else.
    Record,
}

impl Job {
    fn worth(&self) -> Worth {
        match self {
            Self::Sample(_) => Worth::Sample,
            Self::Decision(entry, _) if entry.is_routine() => Worth::Routine,
            Self::Decision(..) | Self::Acted(_) | Self::Event(_) | Self::Configured(..) => Worth::Record,
        }
    }
}

/// See the module.
pub(super) struct Backlog {
    jobs: VecDeque<Job>,
    most: usize,
}

impl Backlog {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            jobs: VecDeque::new(),
            most,
        }
    }

    /// Puts a job at the end. Gives back what had to go for it: the oldest of the least valuable, or the job itself.
    pub(super) fn push(&mut self, job: Job) -> Option<Job> {
        self.jobs.push_back(job);
        if self.jobs.len() <= self.most {
            return None;
        }
        let least = self.jobs.iter().map(Job::worth).min()?;
        let oldest = self.jobs.iter().position(|job| job.worth() == least)?;
        self.jobs.remove(oldest)
    }

    /// Takes the job at the front.
    pub(super) fn pop(&mut self) -> Option<Job> {
        self.jobs.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::health::Moment;
    use crate::control::rollout::{Command, Input, Plan, Request, State, decide};

    fn sample() -> Job {
        let evidence = Evidence::default();
        let health = Health::judge(&evidence, &Default::default(), &Default::default(), &Default::default());
        Job::Sample(Box::new((evidence, health)))
    }

    fn decision(input: Input) -> Job {
        let (plan, before) = (Arc::new(Plan::default()), State::default());
        let decision = decide(&plan, &before, &input, Moment(1));
        let entry = Entry {
            at: Moment(1),
            plan,
            before,
            input,
            decision,
        };
        Job::Decision(Arc::new(entry), Arc::default())
    }

    fn routine() -> Job {
        decision(Input::Observation(Box::default()))
    }

    fn start() -> Job {
        decision(Input::Command(Command {
            request: Request::Start,
            who: "uid 0".to_owned(),
            reason: "test".to_owned(),
        }))
    }

    #[test]
    fn samples_go_first_then_decisions_that_changed_nothing_then_the_oldest() {
        let mut backlog = Backlog::new(3);
        assert!(backlog.push(start()).is_none());
        assert!(backlog.push(routine()).is_none());
        assert!(backlog.push(sample()).is_none());
        let worths: Vec<_> = [start(), start(), start(), sample()]
            .into_iter()
            .map(|job| backlog.push(job).map(|lost| lost.worth() as u8))
            .collect();
        let (sample, routine, record) = (Worth::Sample as u8, Worth::Routine as u8, Worth::Record as u8);
        assert_eq!(worths, [Some(sample), Some(routine), Some(record), Some(sample)]);
        assert_eq!(backlog.len(), 3);
    }
}
