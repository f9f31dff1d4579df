//! Alerts, shared by the thread that watches and those that answer requests.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::center::AlertCenter;
use super::time::Time;

/// Alerts and the clock they go by: the time of day at the start and the time since then, so that a step of the
/// system's clock neither ends a silence nor starts a storm.
pub struct AlertDesk {
    center: Mutex<AlertCenter>,
    began: (Time, Instant),
}

impl AlertDesk {
    /// From now on.
    pub fn new(center: AlertCenter) -> Self {
        Self {
            center: Mutex::new(center),
            began: (Time::now(), Instant::now()),
        }
    }

    /// The time.
    pub fn now(&self) -> Time {
        let (day, instant) = self.began;
        day.plus(instant.elapsed())
    }

    /// The alerts. What a panicking holder leaves is numbers and texts: go on with them.
    pub fn lock(&self) -> MutexGuard<'_, AlertCenter> {
        self.center.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
