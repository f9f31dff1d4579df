//! Forms that HTTP takes on the Internet, by both strategies, cut into segments at every byte.

mod framing;
mod messages;
mod protocols;
mod script;
