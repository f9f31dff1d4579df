//! The whole appliance on real traffic: nginx and curl in namespaces, a mirror of their link, and the real `trim`.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests fail the test")]

mod alerts;
mod api;
mod appliance;
mod body_cut;
mod checklist;
mod comparison;
mod confined;
mod container;
mod diagnosis;
mod elasticsearch;
mod equality;
mod guides;
mod killed;
mod metrics;
mod packets;
mod page;
mod profiles;
mod reload;
mod removed;
mod reports;
mod rollout;
mod secrets;
mod supervised;
mod switching;
mod top;
mod web;
