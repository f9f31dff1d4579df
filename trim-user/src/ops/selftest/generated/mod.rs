//! Connections made from a seed, whose every byte is labelled when it is made.
//!
//! A [`recipe::Recipe`] says what goes in; [`dialogue`] makes up what client and server say, [`wire`] cuts it into
//! segments and does to them what networks do, [`demand`] works out what a trimmer owes to each byte given what the
//! capture shows, and [`check`] holds a trimmer against that.

pub mod check;
mod content;
pub mod demand;
pub mod dialogue;
pub mod labelled;
mod message;
pub mod recipe;
pub mod rng;
pub mod wire;
