//! Memory and work of the trimmers are bounded, whatever comes.
//!
//! Memory is counted by allocator: every byte allocated and not given back by the thread of the test.

mod hostile;
mod many_flows;
mod traffic;
