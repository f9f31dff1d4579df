//! Requests that wait for their answers (RFC 9112 section 9.3.2: answers come in the order of the requests).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::http::Method;

/// Most runs of unlike requests that are remembered.
const MOST_RUNS: usize = 1024;

/// What matters of a request for the framing of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An ordinary request with this method; `upgrade` when it asks for another protocol.
    Request {
        /// Kind of method.
        method: Method,
        /// It has an Upgrade field.
        upgrade: bool,
    },
    /// HTTP/0.9: the answer has no header block.
    Simple,
    /// Bytes were lost here: any number of requests, none included.
    Lost,
}

impl Asked {
    /// Whether the answer may end HTTP on this connection.
    pub(super) fn may_switch(self) -> bool {
        matches!(
            self,
            Self::Request { upgrade: true, .. }
                | Self::Request {
                    method: Method::Connect,
                    ..
                }
        )
    }
}

#[derive(Clone, Copy, Debug)]
struct Run {
    asked: Asked,
    count: u32,
    first_end: u64,
    last_end: u64,
}

/// What all flows together spend on outstanding requests.
#[derive(Debug)]
pub(super) struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// At most this many bytes.
    pub(super) const fn new(most: usize) -> Self {
        let used = AtomicUsize::new(0);
        Self { used, most }
    }

    fn is_spent(&self) -> bool {
        self.used.load(Ordering::Relaxed) >= self.most
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

/// All runs but the first, and what they are charged.
#[derive(Debug)]
struct Behind {
    runs: VecDeque<Run>,
    charged: usize,
    budget: Arc<Budget>,
}

impl Behind {
    fn new(budget: Arc<Budget>) -> Self {
        Self {
            runs: VecDeque::new(),
            charged: 0,
            budget,
        }
    }

    fn push(&mut self, run: Run) {
        self.runs.push_back(run);
        let size = size_of::<Self>() + self.runs.capacity() * size_of::<Run>();
        self.budget.used.fetch_add(size - self.charged, Ordering::Relaxed);
        self.charged = size;
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.charged, Ordering::Relaxed);
    }
}

/// Outstanding requests in order; equal ones in a row cost one entry. The first run needs no memory of its own, because
/// nearly every flow has no more, and a million flows pay for what each has.
#[derive(Debug, Default)]
pub(super) struct Requests {
    first: Option<Run>,
    behind: Option<Box<Behind>>,
    budget: Arc<Budget>,
}

impl Requests {
    /// None yet; what they need is taken from `budget`.
    pub(super) const fn new(budget: Arc<Budget>) -> Self {
        Self {
            first: None,
            behind: None,
            budget,
        }
    }

    /// A request whose header block ends at `end` was seen. False when there are too many to remember.
    pub(super) fn push(&mut self, asked: Asked, end: u64) -> bool {
        let run = Run {
            asked,
            count: 1,
            first_end: end,
            last_end: end,
        };
        if let Some(last) = self.last_mut().filter(|last| last.asked == asked) {
            (last.count, last.last_end) = (last.count.saturating_add(1), end);
        } else if self.first.is_none() {
            self.first = Some(run);
        } else {
            let known = self.behind.as_deref().map_or(0, |behind| behind.runs.len());
            if known >= MOST_RUNS || self.budget.is_spent() {
                return false;
            }
            self.behind
                .get_or_insert_with(|| Box::new(Behind::new(self.budget.clone())))
                .push(run);
        }
        true
    }

    fn last_mut(&mut self) -> Option<&mut Run> {
        match self.behind.as_deref_mut().and_then(|behind| behind.runs.back_mut()) {
            Some(last) => Some(last),
            None => self.first.as_mut(),
        }
    }

    /// The request whose answer comes next.
    pub(super) fn front(&self) -> Option<Asked> {
        self.first.map(|run| run.asked)
    }

    /// The kind of all outstanding requests, if they are of one kind.
    pub(super) fn only(&self) -> Option<Asked> {
        self.front().filter(|_| self.behind.is_none())
    }

    /// The request seen last, if it is not answered yet.
    pub(super) fn back(&self) -> Option<Asked> {
        let behind = self.behind.as_deref().and_then(|behind| behind.runs.back());
        let last = behind.or(self.first.as_ref());
        last.map(|run| run.asked)
    }

    /// The request at the front is answered.
    pub(super) fn pop(&mut self) {
        match &mut self.first {
            Some(run) if run.count > 1 => run.count -= 1,
            _ => self.next_run(),
        }
    }

    fn next_run(&mut self) {
        self.first = self.behind.as_deref_mut().and_then(|behind| behind.runs.pop_front());
        if self.behind.as_deref().is_some_and(|behind| behind.runs.is_empty()) {
            self.behind = None;
        }
    }

    /// The request at the front is one of another kind after all.
    pub(super) fn replace_front(&mut self, asked: Asked) {
        if let Some(run) = &mut self.first {
            run.asked = asked;
        }
    }

    /// The request at the back is one of another kind after all.
    pub(super) fn replace_back(&mut self, asked: Asked) {
        if let Some(run) = self.last_mut() {
            run.asked = asked;
        }
    }

    /// Takes away all requests that end at or before `acknowledged` and returns the last of them.
    pub(super) fn pop_acknowledged(&mut self, acknowledged: u64) -> Option<Asked> {
        let mut last = None;
        while let Some(run) = self.first.filter(|run| run.first_end <= acknowledged) {
            last = Some(run.asked);
            if run.last_end > acknowledged {
                break;
            }
            self.next_run();
        }
        last
    }

    /// Forgets all requests.
    pub(super) fn clear(&mut self) {
        (self.first, self.behind) = (None, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Asked = Asked::Request {
        method: Method::Other,
        upgrade: false,
    };
    const HEAD: Asked = Asked::Request {
        method: Method::Head,
        upgrade: false,
    };

    #[test]
    fn requests_are_answered_in_their_order() {
        let mut requests = Requests::default();
        for (asked, end) in [(GET, 10), (GET, 20), (HEAD, 30), (GET, 40)] {
            assert!(requests.push(asked, end));
        }
        let mut order = Vec::new();
        while let Some(asked) = requests.front() {
            order.push(asked);
            requests.pop();
        }
        assert_eq!(order, [GET, GET, HEAD, GET]);
        assert_eq!(requests.back(), None);
    }

    #[test]
    fn a_million_equal_requests_cost_nothing_and_unlike_ones_are_bounded() {
        let mut requests = Requests::default();
        assert!((0..1_000_000).all(|end| requests.push(GET, end)));
        assert!(requests.behind.is_none());
        let mut end = 1_000_000;
        let accepted = std::iter::from_fn(|| {
            end += 1;
            let asked = if end % 2 == 0 { GET } else { HEAD };
            requests.push(asked, end).then_some(())
        });
        assert_eq!(accepted.count(), MOST_RUNS);
    }

    #[test]
    fn flows_share_one_budget_and_give_back_what_they_took() {
        let budget = Arc::new(Budget::new(10_000));
        let mut flows: Vec<_> = (0..1000).map(|_| Requests::new(budget.clone())).collect();
        let mut accepted = 0;
        for requests in &mut flows {
            let asked = [GET, HEAD].into_iter().cycle().take(100);
            accepted += asked
                .zip(1..)
                .take_while(|&(asked, end)| requests.push(asked, end))
                .count();
        }
        assert!((1000 + 100..1000 + 1000).contains(&accepted), "{accepted}");
        assert!(budget.used.load(Ordering::Relaxed) < 20_000);
        flows.iter_mut().for_each(Requests::clear);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn acknowledged_requests_go_together() {
        let mut requests = Requests::default();
        for (asked, end) in [(GET, 10), (HEAD, 20), (GET, 30), (GET, 40)] {
            requests.push(asked, end);
        }
        assert_eq!(requests.pop_acknowledged(5), None);
        assert_eq!(requests.pop_acknowledged(25), Some(HEAD));
        assert_eq!(requests.pop_acknowledged(30), Some(GET));
        assert_eq!(requests.back(), Some(GET));
        assert_eq!(requests.pop_acknowledged(40), Some(GET));
        assert_eq!(requests.front(), None);
    }
}
