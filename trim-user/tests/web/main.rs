//! The TCP listener: who is let in, and what becomes of clients that are slow, greedy or many.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its server has failed")]

mod client;
mod limits;
mod secure;
mod token;
