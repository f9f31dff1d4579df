//! The control wing: switching strategies, accounts, and the daemon's local API.

pub mod accounts;
pub mod alert;
pub mod api;
pub mod appliance;
pub mod client;
pub mod collect;
pub mod configuration;
pub mod diagnosis;
pub mod figures;
pub mod health;
pub mod histograms;
pub mod operator;
pub mod rates;
pub mod rollout;
pub mod status;
pub mod store;
pub mod supervisor;
pub mod switch;
pub mod web;
