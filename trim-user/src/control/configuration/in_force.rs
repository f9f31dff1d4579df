//! What is in force at this moment, for those who have to know it later than at the start.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Moment, now};
use crate::config::Loaded;

/// The configuration in force. Clones see the same one, also after it has changed; only
/// [`Configuration`](super::Configuration) changes it.
#[derive(Clone)]
pub struct InForce(Arc<Mutex<Active>>);

#[derive(Clone)]
pub(super) struct Active {
    pub(super) loaded: Loaded,
    pub(super) since: Moment,
    pub(super) who: String,
}

impl InForce {
    /// It begins with what the daemon is started with.
    pub fn new(loaded: Loaded) -> Self {
        Self(Arc::new(Mutex::new(Active {
            loaded,
            since: now(),
            who: "start".to_owned(),
        })))
    }

    /// What holds now.
    pub fn loaded(&self) -> Loaded {
        self.lock().loaded.clone()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Active> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
