//! The last minute or so of evidence, as one.

use std::collections::VecDeque;

use super::evidence::Evidence;

/// The latest samples that health is judged by.
#[derive(Clone, Debug, Default)]
pub struct Window {
    samples: VecDeque<Evidence>,
    length: usize,
}

impl Window {
    /// A window over so many samples.
    pub const fn new(length: usize) -> Self {
        Self {
            samples: VecDeque::new(),
            length,
        }
    }

    /// Adds a sample; the oldest leaves when the window is full. Samples from before a change of the target leave at once: they
    /// say nothing about the flows of now.
    pub fn push(&mut self, sample: Evidence) {
        if sample.target.has_changed {
            self.samples.clear();
        }
        if self.samples.len() >= self.length.max(1) {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    /// Everything in the window as one sample.
    pub fn sum(&self) -> Evidence {
        let Some(last) = self.samples.back() else {
            return Evidence::default();
        };
        let mut sum = Evidence {
            target: last.target.clone(),
            threads: last.threads.clone(),
            ..Evidence::default()
        };
        self.samples.iter().for_each(|sample| sum.absorb_counts(sample));
        sum
    }
}
