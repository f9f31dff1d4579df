//! Alerts leave by real servers, which here also refuse, stall, break off and come back.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare its servers has failed")]

mod alertmanager;
mod command;
mod http;
mod mail;
mod pipeline;
mod smtp;
mod things;
mod tls;
mod web;
