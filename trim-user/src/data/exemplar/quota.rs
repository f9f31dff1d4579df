//! How many exemplars may still be taken, over all workers.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::trimmer::Class;

/// What is left of each class.
#[derive(Debug)]
pub struct Quota([AtomicU32; Class::COUNT]);

impl Quota {
    /// So many of each class.
    pub fn new(of_each_class: u32) -> Self {
        Self([(); Class::COUNT].map(|()| AtomicU32::new(of_each_class)))
    }

    /// Takes one, if one is left.
    pub fn take(&self, class: Class) -> bool {
        let left = &self.0[class.index()];
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
            .is_ok()
    }

    /// Whether nothing is left of any class.
    pub fn is_used_up(&self) -> bool {
        self.0.iter().all(|left| left.load(Ordering::Relaxed) == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let quota = Quota::new(2);
        assert!(quota.take(Class::BodyKept) && quota.take(Class::BodyKept));
        assert!(!quota.take(Class::BodyKept));
        assert!(!quota.is_used_up());
        for class in Class::ALL {
            while quota.take(class) {}
        }
        assert!(quota.is_used_up());
    }
}
